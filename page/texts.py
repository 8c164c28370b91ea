"""The page's own words in English and French. Words that mirror respond.io's page are labels in the publication."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

import yaml  # type: ignore[import-untyped]


class Texts:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with the placeholders filled in."""
        return _TEXTS[key][self._language].format(**values)


@dataclass(frozen=True)
class Sentence:
    """A text before its language is known, such as that of an error."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The text in a language."""
        return Texts(language)(self.key, **self.values)


def _read() -> Mapping[str, Mapping[str, str]]:
    texts = yaml.safe_load((files("page") / "texts.yaml").read_text(encoding="utf-8"))
    assert isinstance(texts, dict)
    return texts


_TEXTS = _read()
