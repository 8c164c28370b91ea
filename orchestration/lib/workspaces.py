"""Checks workspaces.csv before anything is loaded: without a zone that exists, no event of a workspace has a day."""

import csv
import difflib
import io
import zoneinfo

import duckdb

from orchestration.lib.landing import WORKSPACES_FILE, Landing
from orchestration.lib.problems import Problem

_COLUMNS = ("workspace_id", "workspace_name", "timezone")


def check_workspaces(landing: Landing) -> list[str]:
    """The ids in workspaces.csv. Raises Problem when it is missing, lacks a column, or names a zone there is not."""
    place = f"{landing.url.rstrip('/')}/{WORKSPACES_FILE}"
    try:
        with landing.open(WORKSPACES_FILE) as stream:
            text = stream.read().decode("utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise Problem(
            f"There is no {place}",
            f"Put one there with the columns {','.join(_COLUMNS)} and a row for each workspace",
        ) from None
    except PermissionError:
        raise Problem(f"{place} cannot be read", "Give the user who runs the pipeline permission to read it") from None
    first, *_ = text.lstrip().split("\n", 1)
    delimiter = ";" if ";" in first and "," not in first else ","
    rows = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter)
    header = [name.strip().lower() for name in next(rows, [])]
    if missing := [column for column in _COLUMNS if column not in header]:
        raise Problem(f"{place} has no column {', '.join(missing)}", f"Its first line is {','.join(_COLUMNS)}")
    zones = _zones()
    workspace_ids = []
    for row in rows:
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            raise Problem(
                f"A row of {place} has {len(row)} fields instead of {len(header)}: {delimiter.join(row)}",
                "Quote values that contain the separator",
            )
        values = dict(zip(header, (field.strip() for field in row), strict=True))
        if not values["workspace_id"]:
            raise Problem(f"A row of {place} has no workspace_id: {delimiter.join(row)}", "Give it the folder's name")
        zone = values["timezone"]
        if zone not in zones:
            close = difflib.get_close_matches(zone, zones, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise Problem(
                f"{place} gives workspace {values['workspace_id']!r} the time zone {zone!r}, which does not exist",
                f"{hint}Use an IANA name such as Europe/Paris",
            )
        workspace_ids.append(values["workspace_id"])
    return workspace_ids


def _zones() -> frozenset[str]:
    """The names that the zone database and the engine both know."""
    with duckdb.connect() as connection:
        known = {name for (name,) in connection.execute("select name from pg_timezone_names()").fetchall()}
    return frozenset(known & zoneinfo.available_timezones())
