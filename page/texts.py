"""The page's own words in English and French. What mirrors respond.io's page comes from the publication's labels."""

from collections.abc import Mapping
from importlib.resources import files

import yaml  # type: ignore[import-untyped]


class Texts:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values filled in."""
        return _TEXTS[key][self._language].format(**values)


def _read() -> Mapping[str, Mapping[str, str]]:
    texts = yaml.safe_load((files("page") / "texts.yaml").read_text(encoding="utf-8"))
    assert isinstance(texts, dict)
    return texts


_TEXTS = _read()
