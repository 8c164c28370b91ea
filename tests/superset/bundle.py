"""The files of bi/superset, as the tests read them."""

from typing import Any

import yaml  # type: ignore[import-untyped]

from orchestration.lib.settings import PROJECT_ROOT

BUNDLE = PROJECT_ROOT / "bi" / "superset"


def _read(kind: str) -> dict[str, dict[str, Any]]:
    """The files of a folder of the bundle, by name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((BUNDLE / kind).rglob("*.yaml"))}


DATABASE = _read("databases")["contact_reports"]
DATASETS = _read("datasets")
CHARTS = _read("charts")
DASHBOARD = _read("dashboards")["contacts"]
FILTERS = DASHBOARD["metadata"]["native_filter_configuration"]
# The dataset of all charts. The others are for people who make charts of their own.
EVENTS = DATASETS["contact_events"]
