"""Shows that Python's list of the kinds of files and the seed of the routes are the same."""

import csv

from orchestration.lib.landing.kinds import KINDS, WORKSPACES
from orchestration.lib.settings import PROJECT_ROOT


def test_every_kind_but_the_list_of_workspaces_is_a_route_of_the_seed() -> None:
    with open(PROJECT_ROOT / "seeds" / "routes.csv", newline="") as seed:
        routes = {(row["kind"], row["route"], row["brings_events"] == "true") for row in csv.DictReader(seed)}

    kinds = {(kind.name, kind.route, kind.brings_events) for kind in KINDS.values() if kind is not WORKSPACES}

    assert kinds == routes
    assert WORKSPACES.route is None and not WORKSPACES.brings_events
