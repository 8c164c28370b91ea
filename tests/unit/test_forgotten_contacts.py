"""The list of forgotten contacts, and which fields of a record stay."""

from pathlib import Path

import duckdb
import pytest

from orchestration.lib.forgetting import _ranges
from orchestration.lib.landing.kinds import KINDS
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.forgetting import commit, folders_to_mask, prepare
from orchestration.lib.raw_zone.forgotten import Contact, ForgottenContacts, contact_of
from orchestration.lib.raw_zone.masking import FIELDS
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import PROJECT_ROOT
from publications.masked.pseudonyms import define_pseudonyms, pseudonym


@pytest.mark.parametrize("spelling", ["123", " 00123 ", "123.0", "0123.0\n"])
def test_an_id_may_be_spelled_as_in_files(spelling: str) -> None:
    assert contact_of("acme", spelling) == Contact("acme", "123")


@pytest.mark.parametrize("spelling", ["", "0", "-1", "+5", "1e3", "1.5", "9223372036854775808", "Ann", "12 3"])
def test_what_is_no_id_is_refused_without_repeating_it(spelling: str) -> None:
    with pytest.raises(Problem) as refused:
        contact_of("acme", spelling)
    assert not spelling or spelling not in str(refused.value).replace("2^63", "").replace("0", "") or spelling == "0"


def test_the_list_keeps_what_was_added_and_who_was_added_twice_is_there_once(tmp_path: Path) -> None:
    contacts = [Contact("acme", "1"), Contact('a,"b\n', "2"), Contact("acme", "2")]
    for contact in contacts:
        assert ForgottenContacts(tmp_path / "raw").add(contact)
        assert not ForgottenContacts(tmp_path / "raw").add(contact)
    assert ForgottenContacts(tmp_path / "raw").read() == set(contacts)
    assert [path.name for path in tmp_path.iterdir()] == ["forgotten_contacts.csv"]


@pytest.mark.parametrize("text", ["", "acme,1,now\n", "workspace_id,contact_id,forgotten_at\nacme,1\n", "\xff\n"])
def test_a_damaged_list_stops_everything_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "forgotten_contacts.csv").write_text(text, encoding="latin-1")
    with pytest.raises(Problem, match="The list of forgotten contacts .* cannot be read"):
        ForgottenContacts(tmp_path / "raw").read()


def test_every_kind_of_file_with_events_says_where_its_contact_ids_are() -> None:
    assert FIELDS.keys() == {kind.name for kind in KINDS.values() if kind.brings_events}
    seed = str(PROJECT_ROOT / "seeds" / "header_names.csv")
    with duckdb.connect() as connection:
        headers = set(connection.execute("select kind, field from read_csv($1, all_varchar = true)", [seed]).fetchall())
    for name, fields in FIELDS.items():
        known = {field for kind, field in headers if kind == name} or set(KINDS[name].columns)
        listed = {*fields.contact_ids, *fields.kept}
        assert listed <= known, "each is a field of such files"
        # What else there is, is masked. Who adds a field decides which it is.
        assert (
            known - listed
            == {
                "events": {"contact_name"},
                "report_logs": {"contact_name"},
                "data_export": {"first_name", "last_name"},
                "webhooks": {"first_name", "last_name"},
                "api_contacts": {"first_name", "last_name"},
            }[name]
        )


def test_folders_are_masked_again_when_the_list_grows_or_their_note_is_gone(tmp_path: Path) -> None:
    zone, contacts = RawZone(tmp_path / "raw"), ForgottenContacts(tmp_path / "raw")
    zone.prepare()

    def new_batch(number: int) -> None:
        with zone.incoming() as folder:
            commit(zone, folder, number)

    new_batch(1)
    assert folders_to_mask(zone) == []
    contacts.add(Contact("acme", "1"))
    new_batch(2)
    assert [folder.first for folder in folders_to_mask(zone)] == [1], "the second was masked before it was committed"
    prepare(zone)
    assert folders_to_mask(zone) == []
    contacts.add(Contact("acme", "2"))
    assert [folder.first for folder in folders_to_mask(zone)] == [1, 2]
    prepare(zone)
    (zone.folder_of(1) / "forgotten.json").write_text("[")
    assert [folder.first for folder in folders_to_mask(zone)] == [1]
    with zone.at_rest(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.lib.raw_zone.forgetting._PATIENCE_SECONDS", 0)
        with pytest.raises(Problem, match="is being read") as waiting:
            prepare(zone)
        assert waiting.value.is_transient
    prepare(zone)
    assert folders_to_mask(zone) == []


def test_lines_are_named_in_ranges() -> None:
    assert _ranges([3]) == "line 3"
    assert _ranges([9, 2, 5, 6, 7, 5, 8]) == "lines 2, 5-9"


@pytest.mark.parametrize("key", [b"short", b"x" * 64, "schlüssel".encode() * 20])
def test_pseudonyms_are_hmac_sha256(key: bytes) -> None:
    with duckdb.connect() as connection:
        define_pseudonyms(connection, key)
        for value in ("", "1", "Zoë 'x' \x1f", "9" * 200):
            assert connection.execute("select pseudonym('user', $1)", [value]).fetchone() == (
                pseudonym(key, "user", value),
            )
