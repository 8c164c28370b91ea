"""What is fetched when, and that it lies in the landing folder whole, once, and is never lost."""

import contextlib
import itertools
import json
import os
import stat
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import Problem
from orchestration.lib.respond_io.client import Client, Unreadable, read_page
from orchestration.lib.respond_io.fetch import (
    check_workspace_id,
    days_to_fetch,
    fetch_contacts,
    fetch_directories,
    fetched_until,
    windows_of,
)
from orchestration.sample import stand_in
from orchestration.sample.stand_in import StandIn, Workspace
from tests.integration.respond_io.conftest import Connect

DAY = date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


def at(hours: float) -> datetime:
    """A moment of the day, or of another."""
    return MIDNIGHT + timedelta(hours=hours)


def contact(number: int, created: datetime, **more: Any) -> dict[str, Any]:
    return {"id": number, "firstName": f"Ünal {number}", "created_at": int(created.timestamp()), **more}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(str(tmp_path))


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


def names(landing: Landing) -> list[str]:
    return sorted(path.name for path in Path(landing.root, "acme", "api").iterdir())


def landed(landing: Landing) -> list[Any]:
    """All lines of all files of contacts."""
    paths = sorted(Path(landing.root, "acme", "api").glob("contacts-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def test_a_day_that_is_over_is_one_file_of_its_contacts_as_they_were_given(
    workspace: Workspace, client: Client, landing: Landing
) -> None:
    odd = {"custom_fields": [{"a": 1.50, "b": None}], "later": "\ud800\u2028", "lastName": "O'Brien 陈"}
    workspace.contacts += [contact(1, at(-1)), contact(2, at(0), **odd), contact(3, at(23.9)), contact(4, at(25))]
    fetched = fetch_contacts(client, landing, DAY, at(30))
    assert names(landing) == ["contacts-20261121T0000Z-20261122T0000Z.jsonl"]
    assert (fetched.contacts, fetched.file) == (2, f"acme/api/{names(landing)[0]}")
    content = Path(landing.root, "acme", "api", *names(landing)).read_bytes()
    assert landed(landing) == workspace.contacts[1:3]
    assert content.count(b"\n") == 2
    assert "陈".encode() in content and b"\\ud800" in content and b'"a":1.5' in content
    content.decode()


def test_a_day_without_a_contact_is_known_as_fetched_by_an_empty_file(client: Client, landing: Landing) -> None:
    assert fetch_contacts(client, landing, DAY, at(30)).contacts == 0
    assert Path(landing.root, "acme/api/contacts-20261121T0000Z-20261122T0000Z.jsonl").read_bytes() == b""
    assert fetched_until(windows_of(landing, "acme"), DAY) == at(24)


def test_a_day_is_fetched_on_from_an_hour_before_where_it_stopped_and_over_midnight(
    workspace: Workspace, client: Client, landing: Landing
) -> None:
    workspace.contacts += [contact(number, at(number / 2)) for number in range(1, 60)]
    assert fetch_contacts(client, landing, DAY, at(9.51)).contacts == 19
    assert fetch_contacts(client, landing, DAY, at(10)).contacts == 4
    # A contact that only shows now.
    workspace.contacts.append(contact(999, at(9.2)))
    assert fetch_contacts(client, landing, DAY, at(10.1)).contacts == 4
    assert fetch_contacts(client, landing, DAY, at(25.5)).contacts == 31
    assert fetch_contacts(client, landing, NEXT, at(25.5)).contacts == 6
    assert names(landing) == [
        "contacts-20261120T2300Z-20261121T0930Z.jsonl",
        "contacts-20261121T0830Z-20261121T1000Z.jsonl",
        "contacts-20261121T0900Z-20261121T1006Z.jsonl",
        "contacts-20261121T0906Z-20261122T0000Z.jsonl",
        "contacts-20261121T2300Z-20261122T0130Z.jsonl",
    ]
    assert {each["id"] for each in landed(landing)} == {*range(1, 52), 999}


def test_the_first_minute_of_a_day_and_a_day_to_come_have_nothing_to_ask_for(
    api: StandIn, client: Client, landing: Landing
) -> None:
    for day, now in ((DAY, at(0)), (DAY, at(0) + timedelta(seconds=59)), (NEXT, at(3)), (DAY, at(-9))):
        assert fetch_contacts(client, landing, day, now).file is None
    assert api.asked == []


def test_a_gap_between_two_files_is_fetched(workspace: Workspace, client: Client, landing: Landing) -> None:
    workspace.contacts += [contact(number, at(number)) for number in range(1, 24)]
    folder = Path(landing.root, "acme", "api")
    folder.mkdir(parents=True)
    for name in ("20261120T2300Z-20261121T0500Z", "20261121T0900Z-20261122T0000Z", "99999999T9999Z-20261122T0000Z"):
        (folder / f"contacts-{name}.jsonl").touch()
    fetch_contacts(client, landing, DAY, at(30))
    assert "contacts-20261121T0400Z-20261122T0000Z.jsonl" in names(landing)
    assert {each["id"] for each in landed(landing)} == set(range(4, 24))


def test_a_day_that_is_fetched_again_loses_nothing_that_has_gone_since(
    workspace: Workspace, client: Client, landing: Landing
) -> None:
    workspace.contacts += [contact(1, at(1)), contact(2, at(2))]
    fetch_contacts(client, landing, DAY, at(30))
    fetch_contacts(client, landing, DAY, at(31))
    assert len(names(landing)) == 1, "the same bytes are the same file"
    del workspace.contacts[0]
    fetch_contacts(client, landing, DAY, at(32))
    assert {each["id"] for each in landed(landing)} == {1, 2}
    fetch_contacts(client, landing, DAY, at(33))
    assert names(landing) == [
        "contacts-20261121T0000Z-20261122T0000Z-2.jsonl",
        "contacts-20261121T0000Z-20261122T0000Z.jsonl",
    ]


@pytest.mark.parametrize(
    "fault",
    [
        stand_in.error(400),
        stand_in.truncated,
        stand_in.leading_to("7"),
        stand_in.leading_to("/no/cursor"),
        stand_in.html(403),
    ],
)
def test_what_came_before_a_listing_broke_off_has_landed_and_the_window_is_asked_for_again(
    api: StandIn, workspace: Workspace, client: Client, landing: Landing, fault: stand_in.Fault
) -> None:
    workspace.contacts += [contact(number, at(number / 20)) for number in range(1, 300)]
    api.faults["/contact/list"] = itertools.chain([None, None], itertools.repeat(fault))
    with pytest.raises(Problem):
        fetch_contacts(client, landing, DAY, at(30))
    (partial,) = names(landing)
    assert partial.startswith("contacts-partial-")
    assert {each["id"] for each in landed(landing)} >= set(range(1, 201))
    assert fetched_until(windows_of(landing, "acme"), DAY) == at(0)
    del api.faults["/contact/list"]
    assert fetch_contacts(client, landing, DAY, at(30)).contacts == 299
    assert len(names(landing)) == 2


def test_nothing_lands_when_nothing_came(api: StandIn, client: Client, landing: Landing) -> None:
    api.faults["/contact/list"] = itertools.repeat(stand_in.error(400))
    with pytest.raises(Problem):
        fetch_contacts(client, landing, DAY, at(30))
    assert not Path(landing.root, "acme").exists()


def test_directories_are_replaced_only_by_whole_listings_and_not_by_equal_ones(
    api: StandIn, workspace: Workspace, client: Client, landing: Landing
) -> None:
    workspace.users += [{"id": n, "firstName": f"User {n}", "lastName": None} for n in range(150, 0, -1)]
    workspace.channels += [{"id": 7, "name": "WhatsApp", "source": "whatsapp_cloud"}]
    assert fetch_directories(client, landing) == ["acme/api/users.jsonl", "acme/api/channels.jsonl"]
    users = Path(landing.root, "acme", "api", "users.jsonl")
    assert [json.loads(line)["id"] for line in users.read_text().splitlines()] == list(range(1, 151))
    before = users.stat()
    fetch_directories(client, landing)
    assert users.stat() == before

    del workspace.users[0]
    api.faults["/space/user"] = itertools.chain([None], itertools.repeat(stand_in.error(400)))
    with pytest.raises(Problem, match="GET /space/user"):
        fetch_directories(client, landing)
    assert users.stat() == before
    del api.faults["/space/user"]
    fetch_directories(client, landing)
    assert len(users.read_text().splitlines()) == 149


def test_the_days_to_fetch_begin_where_the_newest_window_ends_and_no_day_is_left_half_done(landing: Landing) -> None:
    folder = Path(landing.root, "acme", "api")
    folder.mkdir(parents=True)
    assert days_to_fetch(landing, "acme", DAY) == (date(2026, 11, 15), DAY)
    for name, first in (
        ("20260101T0000Z-20260102T0000Z", date(2026, 1, 2)),
        ("20261117T2300Z-20261118T2000Z", date(2026, 11, 18)),
        ("20261118T2300Z-20261119T1200Z", date(2026, 11, 18)),
        ("20261118T1900Z-20261119T0000Z", date(2026, 11, 19)),
        ("20261119T1100Z-20261120T0000Z", date(2026, 11, 20)),
        ("20261123T1100Z-20261124T0000Z", DAY),
    ):
        (folder / f"contacts-{name}.jsonl").touch()
        assert days_to_fetch(landing, "acme", DAY) == (first, DAY), name


def test_a_range_of_days_fetched_in_any_order_and_twice_holds_every_contact(
    workspace: Workspace, client: Client, landing: Landing
) -> None:
    workspace.contacts += [contact(number, at(number / 3 - 24)) for number in range(1, 400)]
    days = [DAY + timedelta(days=number) for number in (2, -1, 0, 1, 2, 0)]
    for day in days:
        fetch_contacts(client, landing, day, at(80))
    assert {each["id"] for each in landed(landing)} == {n for n in range(1, 400) if n / 3 - 24 <= 72}
    assert len(names(landing)) == 4


def test_two_fetches_at_once_do_each_other_no_harm(workspace: Workspace, connect: Connect, landing: Landing) -> None:
    workspace.contacts += [contact(number, at(number / 30)) for number in range(1, 500)]
    workspace.users += [{"id": 1}]
    problems: list[BaseException] = []

    def fetch() -> None:
        try:
            for hour in (9, 14, 24):
                fetch_contacts(connect(), landing, DAY, at(hour))
                fetch_directories(connect(), landing)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert {each["id"] for each in landed(landing)} == set(range(1, 500))
    assert not [name for name in names(landing) if name.startswith(".")]
    assert fetched_until(windows_of(landing, "acme"), DAY) == at(24)


def test_folders_in_a_setgid_landing_folder_are_its_groups_too(client: Client, landing: Landing) -> None:
    root = Path(landing.root)
    if os.geteuid() == 0:
        os.chown(root, -1, 12345)
    root.chmod(0o2770)
    fetch_directories(client, landing)
    for folder in (root / client.workspace_id, root / client.workspace_id / "api"):
        made = folder.stat()
        assert (stat.S_IMODE(made.st_mode), made.st_gid) == (0o2770, root.stat().st_gid)
        assert {path.stat().st_mode & 0o077 for path in folder.glob("*.jsonl")} <= {0}


def test_a_landing_folder_elsewhere_gets_the_same_files(workspace: Workspace, client: Client) -> None:
    workspace.contacts += [contact(1, at(1))]
    workspace.users += [{"id": 1}]
    landing = Landing("memory://bucket/landing")
    assert fetch_contacts(client, landing, DAY, at(9)).file == "acme/api/contacts-20261120T2300Z-20261121T0900Z.jsonl"
    assert fetch_contacts(client, landing, DAY, at(30)).contacts == 0
    fetch_directories(client, landing)
    assert fetched_until(windows_of(landing, "acme"), DAY) == at(24)
    (users,) = (file for file in landing.list().files if file.kind.name == "api_users")
    with landing.open(users) as stream:
        assert stream.read() == b'{"id":1}\n'


@pytest.mark.parametrize("workspace_id", ["", ".", "..", ".hidden", "a/b", "a\\b", "x.tmp", "x.part", "a\nb", "\0"])
def test_a_workspace_that_cannot_be_a_folder_is_refused(workspace_id: str) -> None:
    with pytest.raises(Problem, match="CONTACT_REPORTS_API_TOKENS"):
        check_workspace_id(workspace_id)
    check_workspace_id("Büro 7 (EU)")


def test_a_landing_folder_that_cannot_be_written_keeps_nothing_from_being_fetched_later(
    workspace: Workspace, client: Client, landing: Landing
) -> None:
    workspace.contacts += [contact(1, at(1))]
    Path(landing.root, "acme").write_text("a file where a folder belongs")
    with pytest.raises(OSError):
        fetch_contacts(client, landing, DAY, at(30))
    Path(landing.root, "acme").unlink()
    assert fetch_contacts(client, landing, DAY, at(30)).contacts == 1


bodies = st.lists(
    st.binary(max_size=40)
    | st.fixed_dictionaries(
        {
            "items": st.lists(st.fixed_dictionaries({"id": st.integers()}), max_size=4),
            "pagination": st.fixed_dictionaries({"next": st.none() | st.integers(0, 3) | st.text(max_size=3)}),
        }
    ).map(lambda page: json.dumps(page).encode()),
    max_size=5,
)


@given(bodies)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_api_answers_every_contact_it_gave_has_landed(
    api: StandIn, client: Client, tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]
) -> None:
    landing = Landing(str(tmp_path_factory.mktemp("landing")))
    api.asked.clear()
    api.faults["/contact/list"] = map(stand_in.body, bodies)
    try:
        fetch_contacts(client, landing, DAY, at(30))
    except Problem:
        assert fetched_until(windows_of(landing, "acme"), DAY) == at(0)
    else:
        assert fetched_until(windows_of(landing, "acme"), DAY) == at(24)
    given = []
    for body in bodies[: sum(asked.status == 200 for asked in api.asked)]:
        with contextlib.suppress(Unreadable):
            given += read_page(body).items
    # A page that could not be read at first, and could at the second attempt, is one.
    assert landed(landing)[: len(given)] == given
