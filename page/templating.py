"""Renders the Jinja templates."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from page.assets import FOLDER, static_address

_STYLES = ("page.css", "charts.css", "legend.css")


def render(template: str, values: Mapping[str, Any], check: Callable[[], None] = lambda: None) -> str:
    """Render a template. Texts are escaped. An undefined variable is an error. `check` is called for each part.

    So a page that takes too long ends when `check` raises.
    """
    parts = []
    for part in _TEMPLATES.get_template(template).generate(values):
        check()
        parts.append(part)
    return "".join(parts)


@cache
def _styles_as_text() -> Markup:
    """The style sheets of the report, to inline in a page that is one file."""
    text = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in _STYLES)
    return Markup(text)  # noqa: S704 -- files of the project


def _with_code(text: str) -> Markup:
    """A text as HTML, with `<code>` for the parts in backticks."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped before


_TEMPLATES = Environment(
    loader=PackageLoader("page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals.update(static=static_address, styles=_STYLES, styles_as_text=_styles_as_text)
_TEMPLATES.filters["code"] = _with_code
