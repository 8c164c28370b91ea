"""Contacts are forgotten by commands that are killed: after the next run each is forgotten whole, or not at all."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from orchestration.lib.raw_zone.forgotten import Contact, ForgottenContacts
from orchestration.lib.warehouse.verify import verify
from tests.erasure import traces, write
from tests.faults.killing import START, get_ready, run_in_child
from tests.harness import Pipeline

# A run that is not killed is a full rebuild, which takes as long as all else. So several are killed before it.
KILLS_BEFORE_A_RUN = 5
# Of the kills that the option asks for: 5 of 25 in `make test`, 60 of 300 in `make faults`.
PART_OF_THE_KILLS = 5
BATCHES = 4


@pytest.fixture
def ready(data_folder: Path) -> Iterator[ProcessPoolExecutor]:
    """A process that has imported and parsed what a run needs, without threads or open connections."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        executor.submit(get_ready, data_folder).result()
        yield executor


def name_of(contact: int) -> str:
    """A name that only this contact has, and that is a part of no other."""
    return f"Nomen{contact}Nescio"


def land(pipeline: Pipeline, batch: int, contacts: list[int]) -> None:
    """Events of all contacts, by two routes."""
    write(pipeline, "workspaces.csv", ["workspace_id,workspace_name,timezone", "acme,Acme,Europe/Paris"])
    write(
        pipeline,
        f"acme/events/{batch}.csv",
        [
            "event_id,event_type,occurred_at,contact_id,contact_name,channel_id",
            *(f"{batch}/{one},connected,2026-03-0{batch}T10:00:00Z,{one},{name_of(one)},{batch}" for one in contacts),
        ],
    )
    write(
        pipeline,
        f"acme/webhooks/{batch}.jsonl",
        [
            f'{{"event_id":"w{batch}/{one}","event_type":"contact.created","contact":{{"id":{one},'
            f'"firstName":"{name_of(one)}","phone":"{name_of(one)}","created_at":177235920{batch}}}}}'
            for one in contacts
        ],
    )


@pytest.mark.slow
def test_after_the_next_run_no_contact_is_half_forgotten_and_nothing_else_changed(
    data_folder: Path, ready: ProcessPoolExecutor, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    kills, seed = pytestconfig.getoption("kills") // PART_OF_THE_KILLS, random.randrange(10**9)
    rng = random.Random(seed)
    contacts = list(range(100_000, 100_000 + kills + 10))
    pipeline = Pipeline(data_folder)
    for batch in range(1, BATCHES + 1):
        land(pipeline, batch, contacts)
        whole = ready.submit(run_in_child, data_folder).result()
    counts = pipeline.query("select * exclude (contact_name) from quality.event_records order by all")
    assert len(counts) == 2 * BATCHES * len(contacts)
    # Until the list and the raw zone are done is a tenth of the work, and most of what can be left half done.
    spare = contacts.copy()
    rng.shuffle(spare)
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        for _ in range(KILLS_BEFORE_A_RUN):
            within = rng.choice([0.15, 0.3, 1.0]) * whole.seconds
            contact = Contact("acme", str(spare[-1]))
            ending = ready.submit(run_in_child, data_folder, START, rng.uniform(0, within), contact).result()
            assert ending.outcome != "failed", f"seed {seed}, {ending.stations[-1:]}"
            if contact in ForgottenContacts(pipeline.settings.raw).read():
                spare.pop()
            if ending.outcome == "killed":
                killed[ending.stage] += 1
        assert ready.submit(run_in_child, data_folder).result().outcome == "finished"
        forgotten = {int(one.contact_id) for one in ForgottenContacts(pipeline.settings.raw).read()}
        assert traces(data_folder, map(name_of, forgotten)) == [], f"seed {seed}"
        named = pipeline.query("select distinct contact_id, contact_name from quality.event_records order by all")
        assert named == [(one, None if one in forgotten else name_of(one)) for one in contacts], f"seed {seed}"
        now = pipeline.query("select * exclude (contact_name) from quality.event_records order by all")
        assert now == counts, f"seed {seed}"
    assert verify(pipeline.settings).differences == []
    with capsys.disabled():
        print(f"\nseed {seed}: {dict(killed)}, {len(forgotten)} contacts forgotten\n")
