"""Templates: what they share, and how they become HTML."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from page.assets import FOLDER, static_address

_STYLES = ("page.css", "charts.css")


def render(template: str, values: Mapping[str, Any]) -> str:
    """A template with its values. Texts are escaped; a value that is missing is an error."""
    return _TEMPLATES.get_template(template).render(values)


@cache
def _styles_as_text() -> Markup:
    """The styles of the report, for a page that is one file."""
    text = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in _STYLES)
    return Markup(text)  # noqa: S704 -- files of the project


def _with_code(text: str) -> Markup:
    """A text in which what stands between backticks is code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped before


_TEMPLATES = Environment(
    loader=PackageLoader("page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals.update(static=static_address, styles=_STYLES, styles_as_text=_styles_as_text)
_TEMPLATES.filters["code"] = _with_code
