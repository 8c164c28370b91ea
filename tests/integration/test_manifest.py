"""The house rules for models (CONTRIBUTING.md), over dbt's manifest and the database that was built of it."""

import json
from typing import Any

import pytest

from orchestration.lib.settings import export_settings
from orchestration.lib.warehouse.documentation import DICTIONARY, dictionary, write_page
from tests.harness import Pipeline

pytestmark = pytest.mark.slow

Node = dict[str, Any]

READS = {
    "staging": {"raw", "seeds", "staging"},
    "intermediate": {"seeds", "staging", "intermediate", "earlier"},
    "marts": {"intermediate", "marts"},
    "reports": {"seeds", "staging", "intermediate", "marts"},
    "quality": {"seeds", "staging", "intermediate", "marts"},
}
# Reader and read, `dim_` for any dimension, `fct_` for any fact.
READS_BESIDES = {
    # A dimension is a directory, a list or a seed as it stands.
    ("dim_", "staging"),
    ("dim_", "seeds"),
    ("intermediate", "dim_"),
    # The history of a contact is told by the facts; it is a table so that dim_contact need not compute it again.
    ("int_contact_histories", "fct_contact_events"),
    # How long a contact waited follows from its fact; it is a view so that the report and the metric count the same.
    ("int_times_to_connect", "fct_contacts_added"),
    # The daily counts are of the facts; those of some days are a table so that only those that differ are written.
    ("int_changed_daily_counts", "fct_"),
    # The function has the rows of the view, of some months.
    ("contacts_time_to_connect_between", "contacts_time_to_connect"),
}
PREFIXES = {"staging": ("stg_",), "intermediate": ("int_",), "marts": ("fct_", "dim_", "agg_")}

# Tables and seeds without a `unique_together` of their own, and what tests their key.
KEYS_TESTED_ELSEWHERE = {
    "dim_source": "event_sources_has_its_key_and_required_values",
    "int_new_records": "new_records_have_one_row_per_key",
    "agg_contacts_daily": "daily_counts_equal_the_facts",
    "agg_breakdown_daily": "daily_reports_count_every_event",
    "agg_overview_daily": "overview_has_every_day_once",
    "components": "report_labels_has_its_key_and_required_values",
    "labels": "report_labels_has_its_key_and_required_values",
    "component_filters": "every_component_has_every_filter_once",
}
# What the last run had to do: sets that models look up with `in`, or whose rows get their key tested where they end.
PASSING_SETS = {
    "int_changed_contacts",
    "int_changed_daily_counts",
    "int_changed_days",
    "int_changeable_events",
    "int_changed_records",
    "int_changed_standing_events",
    "int_directory_changes",
    "int_reject_changes",
    "int_superseded_changes",
}


@pytest.fixture(scope="module")
def manifest(sample: Pipeline) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((sample.settings.dbt_target / "manifest.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


@pytest.fixture(scope="module")
def seeds(manifest: dict[str, Any]) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]


def layer(node: Node) -> str:
    """Where it belongs. What earlier runs left in a fact is no fact of this run's."""
    return "earlier" if str(node.get("source_name", "")).startswith("earlier_") else str(node["schema"])


def kinds(node: Node) -> set[str]:
    """What the rules call it: its layer, its name, and `dim_` for a dimension, `fct_` for a fact."""
    return {node["schema"], node["name"]} | {kind for kind in ("dim_", "fct_") if node["name"].startswith(kind)}


def test_every_layer_reads_only_what_lies_below(manifest: dict[str, Any], models: list[Node]) -> None:
    nodes = manifest["nodes"] | manifest["sources"]
    used, wrong = set(), []
    for model in models:
        for read in (nodes[unique_id] for unique_id in model["depends_on"]["nodes"]):
            if layer(read) in READS[model["schema"]]:
                continue
            excuses = {(one, other) for one in kinds(model) for other in kinds(read)} & READS_BESIDES
            used |= excuses
            if not excuses:
                wrong.append(f"{model['name']} reads {read['name']}")
    assert not wrong
    assert used == READS_BESIDES, "an exception that nothing needs"


def test_no_record_has_a_part_in_what_a_tick_leaves_as_it_is(manifest: dict[str, Any]) -> None:
    # The listed workspaces and their zones are rules (warehouse.rules_fingerprint): others are a rebuild.
    rules = {"source.contact_reports.raw.workspaces", "source.contact_reports.raw.files"}
    nodes = manifest["nodes"] | manifest["sources"]
    left = {unique_id for unique_id, node in nodes.items() if "rules_alone" in node.get("tags", ())}
    assert left
    for unique_id in left:
        above, waiting = set(), [unique_id]
        while waiting:
            above.add(one := waiting.pop())
            waiting += [read for read in nodes[one].get("depends_on", {}).get("nodes", ()) if read not in above]
        assert not [one for one in above - rules if one.startswith("source.")], unique_id


def test_every_model_lies_in_the_folder_of_its_schema_and_is_named_like_it(models: list[Node]) -> None:
    for model in models:
        assert model["original_file_path"].split("/")[1] == model["schema"]
        assert model["name"].startswith(PREFIXES.get(model["schema"], "")), model["name"]
        if model["schema"] in ("reports", "quality"):
            assert not model["name"].startswith(("stg_", "int_", "fct_", "dim_", "agg_")), model["name"]
        assert model["name"] == model["alias"], "a file is named like its table or view"


def test_every_description_says_what_a_row_is(manifest: dict[str, Any], models: list[Node], seeds: list[Node]) -> None:
    for node in [*models, *seeds, *manifest["sources"].values()]:
        assert node["description"].startswith("One row per "), node["name"]


def test_every_column_of_the_database_is_described_and_every_described_one_exists(
    sample: Pipeline, models: list[Node], seeds: list[Node]
) -> None:
    described = {
        (node["schema"], node["alias"], column["name"])
        for node in [*models, *seeds]
        for column in node["columns"].values()
        if column["description"].strip() and "this_run" not in node["tags"]
    }
    functions = {
        (node["schema"], node["alias"], str(column))
        for node in models
        if (parameters := node["config"].get("parameters"))
        for column, *_ in sample.query(
            f"describe from {node['schema']}.{node['alias']}"
            f"({', '.join('null' for parameter in parameters if ':=' not in parameter)})"
        )
    }
    columns = sample.query(
        """
        select schema_name, table_name, column_name from duckdb_columns()
        where not internal and table_name not in ('build_state', 'int_changes_since', 'int_rejects_before_changes')"""
    )
    assert described == set(columns) | functions
    assert functions


def test_every_table_and_every_seed_has_a_test_of_its_key(
    manifest: dict[str, Any], models: list[Node], seeds: list[Node]
) -> None:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    tested = {
        manifest["nodes"][test["attached_node"]]["name"]
        for test in tests
        if (test.get("test_metadata") or {}).get("name") == "unique_together"
    }
    tables = {model["name"] for model in models if model["config"]["materialized"] in ("table", "incremental")}
    stored = tables | {seed["name"] for seed in seeds}
    assert stored - tested == KEYS_TESTED_ELSEWHERE.keys() | PASSING_SETS
    assert set(KEYS_TESTED_ELSEWHERE.values()) <= {test["name"] for test in tests}


def test_every_column_of_a_seed_has_a_type(seeds: list[Node]) -> None:
    for seed in seeds:
        assert seed["config"]["column_types"].keys() == seed["columns"].keys(), seed["name"]


def test_every_published_view_has_its_types_promised(models: list[Node]) -> None:
    for model in models:
        if model["schema"] in ("reports", "quality") and model["config"]["materialized"] != "table_function":
            assert model["config"]["contract"]["enforced"], model["name"]


def test_exposures_read_what_is_published_and_every_view_of_a_report_has_a_reader(
    manifest: dict[str, Any], models: list[Node]
) -> None:
    read = {
        manifest["nodes"][one]["name"]
        for exposure in manifest["exposures"].values()
        for one in exposure["depends_on"]["nodes"]
    }
    published = {model["name"] for model in models if model["schema"] in ("reports", "quality", "marts")}
    assert read <= published
    reports = {model["name"] for model in models if model["schema"] == "reports"}
    assert reports - read == {"date_ranges_at"}, "date_ranges_at is for tests and for what-if questions"


def test_the_database_bears_the_descriptions(sample: Pipeline, models: list[Node], seeds: list[Node]) -> None:
    comments: dict[tuple[str, ...], str] = {}
    for *name, comment in sample.query(
        """
        select schema_name, table_name, comment from duckdb_tables() where not internal
        union all select schema_name, view_name, comment from duckdb_views() where not internal
        union all select schema_name, function_name, comment from duckdb_functions() where not internal
        union all
        select schema_name, table_name || '.' || column_name, comment from duckdb_columns() where not internal"""
    ):
        comments[tuple(map(str, name))] = str(comment)
    for node in [*models, *seeds]:
        if node["schema"] in ("staging", "intermediate", "seeds") and "this_run" not in node["tags"]:
            assert comments[node["schema"], node["name"]] == f"Private: {node['description'].strip()}"
    for model in models:
        if model["schema"] not in ("reports", "quality", "marts"):
            continue
        described = {model["alias"]: model["description"]}
        if model["config"]["materialized"] != "table_function":
            described |= {
                f"{model['alias']}.{name}": column["description"] for name, column in model["columns"].items()
            }
        for name, description in described.items():
            assert comments[model["schema"], name] == description.strip(), name


def test_the_data_dictionary_is_up_to_date(sample: Pipeline) -> None:
    written = dictionary(sample.settings.dbt_target / "manifest.json", sample.settings.published)
    assert DICTIONARY.read_text() == written, "write it again with `make docs`"


def test_dbts_page_knows_the_database_and_leaves_nothing_else(sample: Pipeline) -> None:
    export_settings(sample.settings)
    page = write_page(sample.settings)
    assert list(page.parent.iterdir()) == [page]
    embedded = page.read_text().split(",catalog:", 1)[1]
    catalog, _ = json.JSONDecoder().raw_decode(embedded)
    overview = catalog["nodes"]["model.contact_reports.contacts_overview"]
    assert overview["columns"]["report_date"]["type"] == "DATE"
    assert overview["metadata"]["comment"].startswith("One row per workspace and day")
