"""What dbt says of an invocation, from its run_results.json, in words that a person can act on."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any


def error_messages(target: Path) -> str:
    """The messages of all models and seeds that an invocation of dbt could not build."""
    return "\n".join(result["message"] or "" for result in _failed(target) if result["status"] != "fail")


def keep_messages(target: Path, log: Path) -> None:
    """Write the full message and the query of each model, seed and test that failed into a file."""
    said = [
        f"{one['unique_id']}\n{one['message']}\n{one.get('compiled_code') or ''}".strip() for one in _failed(target)
    ]
    with contextlib.suppress(OSError):  # The disk may be what failed.
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n\n".join(said) + "\n")


def _failed(target: Path) -> list[dict[str, Any]]:
    return [result for result in _results(target) if result["status"] in ("fail", "error", "runtime error")]


def _results(target: Path) -> list[dict[str, Any]]:
    try:
        results: list[dict[str, Any]] = json.loads((target / "run_results.json").read_text())["results"]
    except (OSError, ValueError, KeyError):
        return []
    return results


def failures(target: Path, at_most: int = 3) -> str:
    """What failed in an invocation of dbt, short enough for one line."""
    results = _results(target)
    if not results:
        return "dbt left no results, see its log"
    found = []
    for result in _failed(target):
        kind, _, name, *_ = result["unique_id"].split(".")
        if result["status"] == "fail":
            found.append(f"{kind} {name} found {result['failures']} rows")
        else:
            found.append(f"{kind} {name}: {on_one_line(result['message'] or '')}")
    more = f" and {len(found) - at_most} more" if len(found) > at_most else ""
    return "; ".join(found[:at_most]) + more


# Long enough for what dbt and DuckDB put before the cause, short enough for a line that a person reads.
_MESSAGE_AT_MOST = 800
# Lines that do not name the cause: table borders, macro call stacks, advice, the options of a CSV reader.
_NO_CAUSE = re.compile(
    r"[|\s:-]*|> (in|called by) .*|Please ensure the name, .*|This (type|error) .*|Possible .*|\* .*"
    r"|[a-z_]+ = .*|Column \w+ is being converted .*|The Column types set .*"
)


def on_one_line(message: str) -> str:
    """A message of dbt's on one line. Without lines that do not name the cause."""
    lines = [line.strip() for line in message.splitlines()]
    rows = [
        "; ".join(cell.strip() for cell in line.strip("|").split("|")) if line.startswith("|") else line
        for line in lines
        if not _NO_CAUSE.fullmatch(line)
    ]
    said = " ".join(" / ".join(rows).split())
    return said if len(said) <= _MESSAGE_AT_MOST else f"{said[:_MESSAGE_AT_MOST]} …"
