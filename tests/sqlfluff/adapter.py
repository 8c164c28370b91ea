"""dbt's `adapter` for those who render the macros with Jinja alone, as sqlfluff does: every dispatch is DuckDB's."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import jinja2

MACROS = Path(__file__).resolve().parents[2] / "macros"


def dispatch(name: str) -> Callable[..., str]:
    """DuckDB's macro of that name."""
    macro: Callable[..., str] = getattr(macros(), f"duckdb__{name}")
    return macro


@cache
def macros() -> jinja2.environment.TemplateModule:
    """The macros that call no other function of dbt's."""
    files = [*sorted((MACROS / "dialects").glob("*.sql")), MACROS / "letters.sql", MACROS / "text.sql"]
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["adapter"] = {"dispatch": dispatch}
    environment.globals["return"] = lambda value: value
    return environment.from_string("".join(path.read_text() for path in files)).module
