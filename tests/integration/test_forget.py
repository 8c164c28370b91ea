"""A contact is forgotten: what identifies it leaves the data folder, and every count stays."""

import random
from pathlib import Path

import pytest

from orchestration.lib.forgetting import forget, loaded_records, merged_with, named_in_landing
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.compaction import compact
from orchestration.lib.raw_zone.forgotten import Contact, ForgottenContacts
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.verify import verify
from tests.erasure import CONTACT, NEEDLES, WORKSPACE, land_the_contact, traces, write
from tests.harness import Pipeline
from tests.streams import apply, make_deliveries

ZYXONIA = Contact(WORKSPACE, CONTACT)
# What may identify a contact. All other columns stay as they are.
PRIVATE = ("contact_name", "landed_contact_name", "extra_fields", "raw_record")


@pytest.fixture
def pipeline(data_folder: Path) -> Pipeline:
    return Pipeline(data_folder)


def public_rows(pipeline: Pipeline) -> dict[str, list[str]]:
    """Every table and view without the columns that may identify a contact."""
    found = {}
    for table in pipeline.tables():
        if table == "intermediate.build_state":
            continue
        rows = pipeline.rows(f"select * from {table}")
        found[table] = sorted(repr([value for column, value in row.items() if column not in PRIVATE]) for row in rows)
    return found


def names(pipeline: Pipeline) -> dict[str, list[tuple[object, ...]]]:
    return {
        view: pipeline.query(f"select {ids}, contact_name from {view} order by all")
        for view, ids in {
            "reports.contacts_added_log": "workspace_id, contact_id, event_id",
            "reports.contacts_connected_log": "workspace_id, contact_id, event_id",
            "reports.contacts_deleted_log": "workspace_id, contact_id, event_id",
            "reports.contacts_lifecycle": "workspace_id, contact_id, status",
        }.items()
    }


@pytest.mark.slow
def test_a_contact_of_every_route_leaves_the_data_folder_and_no_count_changes(pipeline: Pipeline) -> None:
    land_the_contact(pipeline)
    pipeline.run()
    data = pipeline.settings.data
    assert {trace.split("/")[0] for trace in traces(data, NEEDLES)} >= {"raw", "published"}, "the search finds them"
    public, named = public_rows(pipeline), names(pipeline)

    with pytest.raises(Problem, match="No file of a workspace 'acne' was loaded"):
        forget(pipeline.settings, Contact("acne", CONTACT))
    assert loaded_records(pipeline.settings, Contact(WORKSPACE, "99999999")) == []
    assert not ForgottenContacts(pipeline.settings.raw).path.exists()

    assert forget(pipeline.settings, ZYXONIA).masked == 21
    assert "forgotten" in plan(pipeline.settings).reason
    pipeline.run()

    assert traces(data, NEEDLES) == []
    assert public_rows(pipeline) == public
    # The record of a merge names one person for two contacts, of whom one is forgotten.
    assert names(pipeline) == {
        view: [(*ids, None if name and "Zyxonia" in str(name) else name) for *ids, name in rows]
        for view, rows in named.items()
    }
    records = pipeline.query("select distinct raw_record from quality.landed_records where raw_record like '%Ordin%'")
    assert len(records) == 10, "those of others are as they landed"
    assert verify(pipeline.settings).differences == []
    # It is done, and may be repeated.
    assert plan(pipeline.settings).nothing_to_do
    again = forget(pipeline.settings, ZYXONIA)
    assert (again.is_new, again.masked) == (False, 0)
    assert plan(pipeline.settings).nothing_to_do

    assert merged_with(pipeline.settings, ZYXONIA) == ["6", "7"]
    (pipeline.landing / "acme" / "events" / "again.jsonl").write_bytes(
        (pipeline.landing / "acme" / "events" / "1.jsonl").read_bytes()
    )
    loaded = loaded_records(pipeline.settings, ZYXONIA)
    assert named_in_landing(pipeline.settings, ZYXONIA, loaded) == [
        "acme/api/contacts-1.jsonl: line 1",
        "acme/data_export/contacts.csv: line 2",
        "acme/data_export/messages.csv: line 2",
        "acme/events/1.jsonl: lines 1, 3-6",
        "acme/events/2.csv: lines 2-3, 5-6",
        "acme/events/3.parquet: line 1",
        "acme/events/again.jsonl: lines 1, 3-6",
        "acme/report_logs/contacts-added.csv: line 2",
        "acme/report_logs/contacts-connected.csv: line 2",
        "acme/report_logs/something.csv: line 2",
        "acme/webhooks/1.jsonl: lines 1-5",
    ]


@pytest.mark.slow
def test_a_contact_that_was_forgotten_before_is_masked_on_arrival_by_every_route(pipeline: Pipeline) -> None:
    write(pipeline, "workspaces.csv", ["workspace_id,workspace_name,timezone", "acme,Acme,Europe/Paris"])
    write(pipeline, "acme/events/0.csv", ["event_id,event_type,occurred_at,contact_id"])
    pipeline.run()
    forget(pipeline.settings, ZYXONIA)
    pipeline.run()
    land_the_contact(pipeline)
    assert pipeline.run().records > 30
    assert traces(pipeline.settings.data, NEEDLES) == []
    # A zone that is made again knows it, too.
    for folder in ("raw", "published"):
        (pipeline.settings.data / folder).rename(pipeline.settings.data.with_name(f"{folder}_before"))
    pipeline.run()
    assert traces(pipeline.settings.data, NEEDLES) == []


@pytest.mark.slow
def test_of_random_histories_only_names_change(pipeline: Pipeline) -> None:
    seed = random.randrange(10**6)
    deliveries = make_deliveries(random.Random(seed), deliveries=3, events=60)
    for delivery in deliveries[:2]:
        apply(delivery, pipeline.landing)
        pipeline.run()
    compact(RawZone(pipeline.settings.raw), growth=2)
    contacts = pipeline.query(
        "select workspace_id, contact_id from quality.event_records group by all order by count(*) desc limit 3"
    )
    public = public_rows(pipeline)
    for workspace_id, contact_id in contacts:
        forget(pipeline.settings, Contact(str(workspace_id), str(contact_id)))
    pipeline.run()
    assert public_rows(pipeline) == public, seed
    # The next run is incremental again, on masked and new records together.
    apply(deliveries[2], pipeline.landing)
    pipeline.run()
    assert verify(pipeline.settings).differences == [], seed
    for workspace_id, contact_id in contacts:
        assert not pipeline.query(
            f"""
            select * from quality.event_records where workspace_id = '{workspace_id}'
            and {contact_id} in (contact_id, merged_contact_id) and contact_name is not null"""
        ), seed


def test_before_the_first_run_forgetting_is_refused_and_makes_no_raw_zone(pipeline: Pipeline) -> None:
    with pytest.raises(Problem, match="Nothing was loaded into"):
        forget(pipeline.settings, ZYXONIA)
    assert not pipeline.settings.raw.exists()
