"""The files of bi/superset fit each other."""

import re

import pytest
import yaml  # type: ignore[import-untyped]

from orchestration.lib.settings import PROJECT_ROOT
from tests.superset.bundle import CHARTS, DASHBOARD, DATABASE, DATASETS, EVENTS, FILTERS

COLUMNS = {column["column_name"] for column in EVENTS["columns"]}
METRICS = {metric["metric_name"] for metric in EVENTS["metrics"]}
PLACED = [entry for entry in DASHBOARD["position"].values() if isinstance(entry, dict) and entry["type"] == "CHART"]

each_dataset = pytest.mark.parametrize("name", DATASETS)
each_chart = pytest.mark.parametrize("name", CHARTS)


@each_dataset
def test_a_dataset_shows_names_and_descriptions_to_people(name: str) -> None:
    assert DATASETS[name]["table_name"] == name
    assert DATASETS[name]["database_uuid"] == DATABASE["uuid"]
    for entry in (*DATASETS[name]["columns"], *DATASETS[name]["metrics"]):
        assert entry["verbose_name"][0].isupper() and "_" not in entry["verbose_name"]
        assert entry["description"] and not re.search(r"[`\n]|\]\(|\*\*|\(contract", entry["description"])
    shown = [column["verbose_name"] for column in DATASETS[name]["columns"]]
    assert len(set(shown)) == len(shown)


@each_dataset
def test_only_days_and_local_times_are_offered_as_a_time(name: str) -> None:
    """Superset compares an instant in the time zone of its server."""
    for column in DATASETS[name]["columns"]:
        assert column.get("is_dttm", False) == (column["type"] in ("DATE", "TIMESTAMP")), column["column_name"]
    main = DATASETS[name].get("main_dttm_col")
    assert (
        main is None or {column["column_name"]: column["type"] for column in DATASETS[name]["columns"]}[main] == "DATE"
    )


def test_the_datasets_are_those_of_the_exposure() -> None:
    exposures = yaml.safe_load((PROJECT_ROOT / "models" / "exposures.yml").read_text())["exposures"]
    (views,) = (exposure["depends_on"] for exposure in exposures if exposure["name"] == "bi_datasets")
    assert {f"ref('{name}')" for name in DATASETS.keys() - {"contact_events"}} == set(views)


@each_chart
def test_a_chart_uses_what_its_dataset_has(name: str) -> None:
    chart, params = CHARTS[name], CHARTS[name]["params"]
    assert chart["dataset_uuid"] == EVENTS["uuid"] and chart["viz_type"] == params["viz_type"]
    used = [*params.get("groupby", []), *params.get("all_columns", []), *params.get("column_config", {})]
    used += [filter_["subject"] for filter_ in params["adhoc_filters"]] + [params.get("x_axis", "report_date")]
    assert set(used) <= COLUMNS
    metrics = [*params.get("metrics", []), *params.get("percent_metrics", [])]
    metrics += [params[key] for key in ("metric", "timeseries_limit_metric") if key in params]
    assert set(metrics) <= METRICS
    assert "row_limit" in params or params["viz_type"] == "big_number_total"


def test_the_dashboard_places_every_chart_once_and_every_entry_in_its_parent() -> None:
    assert sorted(entry["meta"]["uuid"] for entry in PLACED) == sorted(chart["uuid"] for chart in CHARTS.values())
    position = {key: entry for key, entry in DASHBOARD["position"].items() if isinstance(entry, dict)}
    for key, entry in position.items():
        assert entry["id"] == key
        for child in entry.get("children", []):
            assert position[child].get("parents", ["ROOT_ID"]) == [*entry.get("parents", []), key]
        if entry["type"] == "ROW":
            assert sum(position[child]["meta"]["width"] for child in entry["children"]) == 12


def test_the_filters_of_the_dashboard_are_those_of_the_report_page() -> None:
    assert [entry["name"] for entry in FILTERS] == [
        *("Dates", "Frequency", "Workspace", "Channel", "User", "Source", "Contact name", "Contact ID")
    ]
    for entry in FILTERS:
        for target in entry["targets"]:
            assert target.get("datasetUuid", EVENTS["uuid"]) == EVENTS["uuid"]
            assert "column" not in target or target["column"]["name"] in COLUMNS


def test_the_channel_filter_applies_to_the_charts_of_connected_contacts() -> None:
    (excluded,) = (entry["scope"]["excluded"] for entry in FILTERS if entry["name"] == "Channel")
    numbers = {entry["meta"]["uuid"]: entry["meta"]["chartId"] for entry in PLACED}
    assert len(set(numbers.values())) == len(CHARTS)
    connected = {name for name in CHARTS if name.startswith("connected_")}
    assert set(excluded) == {numbers[CHARTS[name]["uuid"]] for name in CHARTS.keys() - connected}
