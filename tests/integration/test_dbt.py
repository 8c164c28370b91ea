"""dbt's own tests: the unit tests of the rules, and the data tests on a warehouse that has mistakes to find."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import export_settings
from orchestration.lib.warehouse.build import prepare
from orchestration.lib.warehouse.plan import plan
from tests.harness import Outcome, Pipeline, dbt_invoke


@pytest.fixture
def copy_of_a_tick(sample: Pipeline) -> Path:
    """A warehouse file with what is published, in which the data tests look at what is new."""
    export_settings(sample.settings)
    prepare(sample.settings, replace(plan(sample.settings), rebuild=False))
    return sample.settings.warehouse


@pytest.fixture
def copy(copy_of_a_tick: Path) -> Path:
    """The same, in which they look at everything, as after a rebuild."""
    with duckdb.connect(str(copy_of_a_tick)) as connection:
        connection.execute("drop table intermediate.int_changes_since")
    return copy_of_a_tick


def run_data_tests(names: set[str]) -> Outcome:
    return dbt_invoke("test", "--select", *sorted(names), after=("run", "--select", "tag:this_run"))


@pytest.mark.slow
def test_the_unit_tests_of_the_models_pass(data_folder: Path) -> None:
    # Where no workspace is listed, as what is listed is all that a workspace can be.
    settings = Pipeline(data_folder).settings
    RawZone(settings.raw).prepare()
    prepare(settings, plan(settings))
    assert dbt_invoke("build", "--exclude-resource-type", "test", "unit_test").success
    outcome = dbt_invoke("test", "--select", "test_type:unit", after=("run", "--select", "tag:this_run"))
    assert outcome.success, outcome.failures
    assert outcome.passed >= 80


# Mistakes, and the tests that have to find them. Those of a group are made together, as each run takes seconds:
# none of them is found by a test that has to find another.
MISTAKES: list[dict[str, set[str]]] = [
    {
        "insert into marts.fct_contacts_added select * from marts.fct_contacts_added limit 1": {
            "each_event_id_stands_at_most_once_per_workspace",
            "daily_counts_equal_the_facts",
        },
    },
    {
        "update marts.fct_contacts_added set user_id = '1', user_name = 'Ann' where source <> 'user'": {
            "a_user_is_shown_only_where_the_source_is_user"
        },
        "update seeds.date_range_presets set until_unit = 'fortnight' where position = 1": {
            "date_range_presets_has_its_key_and_known_values"
        },
        "update intermediate.int_superseded_events set superseded_as = 'hearsay'": {
            "int_superseded_events_has_its_key_and_known_values"
        },
    },
    {
        "delete from marts.fct_contacts_connected where contact_id % 2 = 0": {
            "every_landed_record_is_in_exactly_one_state"
        },
        "update marts.fct_contacts_deleted set source = 'zapier'": {"deleted_and_merged_are_user_only"},
        "update marts.fct_contacts_merged set report_date = report_date + 1, event_id = null": {
            "report_date_is_the_local_date",
            "facts_have_every_required_value",
        },
    },
    {
        "update marts.agg_contacts_daily set contacts = contacts + 1, source = 'hearsay'": {
            "daily_counts_equal_the_facts",
            "daily_counts_have_known_values",
        },
        "insert into intermediate.int_rejected_records select * from intermediate.int_rejected_records limit 1": {
            "int_rejected_records_has_its_key_and_required_values",
            "every_landed_record_is_in_exactly_one_state",
        },
    },
    {
        "insert into marts.agg_contacts_daily by name "
        "select * replace (0 as contacts) from marts.agg_contacts_daily limit 1": {"daily_counts_equal_the_facts"},
        "update quality.load_balance set records_standing = records_standing - 1": {"records_add_up"},
    },
]


@pytest.mark.slow
@pytest.mark.parametrize("mistakes", MISTAKES)
def test_the_data_tests_find_mistakes_in_the_tables(copy: Path, mistakes: dict[str, set[str]]) -> None:
    with duckdb.connect(str(copy)) as connection:
        for mistake in mistakes:
            changed = connection.execute(mistake).fetchall()
            assert changed[0][0] > 0, f"no mistake: {mistake}"
    found_by = set[str]().union(*mistakes.values())
    assert run_data_tests(found_by).failures == found_by


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "found_by"),
    [
        (
            "delete from marts.agg_contacts_daily "
            "where report_date = (select max(report_date) from marts.agg_contacts_daily)",
            {"daily_counts_equal_the_facts"},
        ),
        ("insert into marts.fct_contacts_added select * from marts.fct_contacts_added limit 1", {"records_add_up"}),
    ],
)
def test_after_a_tick_too_the_data_tests_find_what_was_not_counted_again(
    copy_of_a_tick: Path, mistake: str, found_by: set[str]
) -> None:
    with duckdb.connect(str(copy_of_a_tick)) as connection:
        changed = connection.execute(mistake).fetchall()
    assert changed[0][0] > 0, "the mistake was none"
    dbt_invoke("run", "--select", "load_balance", "data_status")
    assert run_data_tests(found_by).failures == found_by


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "found_by"),
    [
        ("from staging.validated union all from staging.validated", "new_records_have_one_row_per_key"),
        ("select * replace (null as route) from staging.validated", "new_records_have_known_values"),
    ],
)
def test_the_data_tests_find_a_mistake_in_what_is_validated(copy: Path, mistake: str, found_by: str) -> None:
    with duckdb.connect(str(copy)) as connection:
        connection.execute("alter view staging.stg_events rename to validated")
        connection.execute(f"create view staging.stg_events as {mistake}")
    assert run_data_tests({found_by}).failures == {found_by}


def test_the_house_has_a_folder_for_each_layer(sample: Pipeline) -> None:
    schemas = sample.query("select distinct table_schema from information_schema.tables order by all")
    layers = {"staging", "intermediate", "marts", "reports", "quality", "seeds"}
    assert {name for (name,) in schemas} == layers
    folders = {path.name for path in Path("models").iterdir() if path.is_dir()}
    # Metrics are no tables.
    assert folders == layers - {"seeds"} | {"semantic"}
