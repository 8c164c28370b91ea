"""Shows that the generated histories hold what they are there for, and that one history is the same by every route."""

import codecs
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.reckoning import EVENT_TYPES, Reckoning
from tests.reckoning.files import DIRECTORY_KINDS
from tests.reckoning.recognition import OTHER_LOG, UNKNOWN_COLUMNS, UNKNOWN_LOG
from tests.streams import Delivery, apply, make_deliveries, make_one_history
from tests.streams.fuzz import write_fuzzed
from tests.unit.reckoned import NOW

ROUTES = ("events", "report_log", "data_export", "webhook", "api")
Counts = tuple[list[str], list[str], list[str]]


def reckoned(folder: Path, *runs: list[Delivery]) -> Reckoning:
    reckoning = Reckoning()
    for run in runs:
        for delivery in run:
            apply(delivery, folder)
        reckoning.load(folder, NOW)
    return reckoning


@pytest.fixture(scope="module")
def histories() -> list[list[Delivery]]:
    return [make_deliveries(Random(seed), 4, 60) for seed in range(8)]


def test_a_seed_always_makes_the_same_history() -> None:
    assert make_deliveries(Random(5), events=60) == make_deliveries(Random(5), events=60)
    assert make_one_history(Random(5)) == make_one_history(Random(5))


def test_some_histories_have_every_state_of_every_route_and_every_reason(
    tmp_path: Path, histories: list[list[Delivery]]
) -> None:
    states: Counter[object] = Counter()
    seen: Counter[object] = Counter()
    for number, history in enumerate(histories):
        reckoning = Reckoning()
        for delivery in history:
            apply(delivery, tmp_path / str(number))
            reckoning.load(tmp_path / str(number), NOW)
            seen.update((row["route"], row["reason"]) for row in reckoning.view("rejected_records"))
            for row in reckoning.view("load_balance"):
                for state in ("standing", "superseded", "rejected", "ignored"):
                    states[row["route"], state] += int(str(row[f"records_{state}"]))
        for event_type in EVENT_TYPES:
            log = reckoning.view(f"contacts_{event_type}_log")
            seen.update((row["route"], event_type) for row in log)
            seen["a name that is known"] += sum(row["user_name"] != row["user_id"] for row in log)
        seen.update((row["reason"], row["superseded_by"] is None) for row in reckoning.view("superseded_events"))
        seen.update(row["certainty"] for row in reckoning.view("report_log_gaps"))
        seen.update(row["reason"] for row in reckoning.view("refused_files"))
        seen.update(("deleted", row["is_deleted"]) for row in reckoning.view("users"))
        seen["provisional"] += sum(row["is_provisional"] is True for row in reckoning.view("reconciliation"))
    expected = {(route, state) for route in ROUTES for state in ("standing", "superseded", "rejected")}
    expected |= {(route, state) for route in DIRECTORY_KINDS for state in ("ignored", "rejected")}
    assert expected | {("webhook", "ignored")} == {key for key, count in states.items() if count}
    common = {"malformed_record", "missing_field", "unknown_workspace", "invalid_contact_id", "invalid_occurred_at"}
    assert {(route, reason) for route in ROUTES for reason in common} <= set(seen)
    more = {"unknown_event_type", "source_not_allowed", "merged_into_itself"}
    assert {("report_log", reason) for reason in more} <= set(seen)
    shortened = {"events", "report_log", "data_export", "webhook", "users", "channels"}
    assert {(route, "invalid_event_id") for route in shortened} <= set(seen)
    assert {("api_users", "invalid_event_id"), ("api_channels", "invalid_event_id")} & set(seen)
    assert {("users", "invalid_deleted_at"), ("channels", "invalid_deleted_at")} <= set(seen)
    assert {("report_log", event_type) for event_type in EVENT_TYPES} <= set(seen)
    replaced = {(reason, False) for reason in ("same_event", "less_detail", "same_fact")}
    # A message that failed after all, what no log lists, and what gave way to that.
    assert replaced | {("same_event", True), ("same_fact", True), ("not_in_log", True)} <= set(seen)
    assert {"possible", "certain", UNKNOWN_LOG, OTHER_LOG, UNKNOWN_COLUMNS} <= set(seen)
    assert {("deleted", True), ("deleted", False)} <= set(seen)
    assert seen["a name that is known"] and seen["provisional"]


def test_most_histories_have_several_of_the_oddities_of_files(histories: list[list[Delivery]]) -> None:
    oddities: dict[str, Callable[[bytes], object]] = {
        "a UTF-16 file": lambda content: content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
        "a double BOM": lambda content: content.startswith(codecs.BOM_UTF8 * 2),
        "a BOM in the middle": lambda content: b"\n" + codecs.BOM_UTF8 in content,
        "a line that says the separator": lambda content: b"sep=" in content[:10],
        "tabs": lambda content: b"\t" in b"".join(content.splitlines()[:1]).strip(),
        "half a surrogate pair": lambda content: b"cut \\ud83d" in content,
        "ANSI text": lambda content: b"Zo\xeb" in content or b"D\xe9 " in content,
        "French headers": lambda content: b"Horodatage" in content,
        "a quote that was never meant": lambda content: b"{" not in content and content.count(b'"') % 2,
    }
    found: Counter[str] = Counter()
    for history in histories:
        files = [(path, content) for delivery in history for path, content in delivery.items() if content is not None]
        contents = [gzip_content(path, content) for path, content in files]
        found.update(name for name, is_in in oddities.items() if any(map(is_in, contents)))
        asked_for = re.compile(r"report_logs/.*\d{4}-\d\d-\d\d.+\d{4}-\d\d-\d\d")
        found["the dates that were asked for"] += any(asked_for.search(path) for path, _ in files)
    assert set(found) > set(oddities)
    assert found.total() > len(histories) * len(oddities) / 2


def gzip_content(path: str, content: bytes) -> bytes:
    """What is in a file, as far as it can be read."""
    try:
        return gzip.decompress(content) if path.endswith(".gz") else content
    except (OSError, EOFError, zlib.error):
        return b""


def counts(reckoning: Reckoning) -> Counts:
    """What the counts are, but for what only a directory knows of a channel."""

    def rows(view: str, *names: str) -> list[str]:
        return sorted(repr([row[name] for name in names]) for row in reckoning.view(view))

    return (
        rows("contacts_overview", "report_date", "contacts_added", "contacts_deleted", "contacts_merged"),
        rows("contacts_added_by_source", "report_date", "source", "contacts_added"),
        rows("contacts_connected_by_channel", "report_date", "channel_name", "contacts_connected"),
    )


@pytest.mark.parametrize("seed", range(6))
def test_one_history_counts_the_same_by_its_logs_with_and_without_what_others_tell(tmp_path: Path, seed: int) -> None:
    history = make_one_history(Random(seed))
    by_logs = reckoned(tmp_path / "logs", [history.workspaces, history.logs])
    assert not by_logs.view("rejected_records")
    parts = [history.logs, history.webhooks, history.api]
    Random(seed).shuffle(parts)
    by_all = reckoned(tmp_path / "all", [history.workspaces], *([part] for part in parts))
    assert counts(by_all) == counts(by_logs)
    assert {row["route"] for row in by_all.view("superseded_events")} == {"report_log", "webhook", "api"}
    assert all(row["only_in_logs"] == 0 for row in by_all.view("reconciliation"))
    assert not by_all.view("rejected_records")


@pytest.mark.parametrize("seed", range(6))
def test_one_history_has_the_same_days_without_its_logs(tmp_path: Path, seed: int) -> None:
    history = make_one_history(Random(seed))
    by_logs = reckoned(tmp_path / "logs", [history.workspaces, history.logs])
    fresh = reckoned(tmp_path / "fresh", [history.workspaces, history.webhooks, history.api])

    def added(reckoning: Reckoning) -> Counter[object]:
        return Counter(row["report_date"] for row in reckoning.view("contacts_added_log"))

    assert added(fresh) == added(by_logs)
    assert counts(fresh)[2] == counts(by_logs)[2]
    assert {row["route"] for row in fresh.view("contacts_added_log")} == {"webhook"}


def test_fuzzed_files_hold_at_least_as_many_records_as_asked_for_and_some_of_each_route_are_accepted(
    tmp_path: Path,
) -> None:
    write_fuzzed(Random(1), tmp_path, 12_000)
    reckoning = reckoned(tmp_path, [])
    assert not reckoning.unreadable
    landed = {row["source_file"]: int(str(row["records_landed"])) for row in reckoning.view("load_balance")}
    assert sum(landed.values()) >= 10_000
    assert min(landed.values()) > 500
    accepted = {row["route"] for row in reckoning.view("superseded_events")}
    assert accepted == set(ROUTES)
