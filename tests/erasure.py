"""A contact that comes by every route, in every spelling, and a search for what identifies it in a data folder."""

import glob
import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from tests.harness import Pipeline

WORKSPACE, CONTACT = "acme", "90817263"
# Nothing else has any of these: names, an address, a telephone, and what it wrote.
NEEDLES = ("Zyxonia", "Quorvath", "zyxquo@", "5550199", "Wunderkerze")
_NAME = "Zyxonia Quorvath"
_OTHER = "Ordinary Person"
_LINES = {
    "acme/events/1.jsonl": [
        '{"event_id":"j1","event_type":"added","occurred_at":"2026-03-01T10:00:00Z","contact_id":90817263,'
        f'"contact_name":"{_NAME}","email":"zyxquo@example.com"}}',
        '{"event_id":"j2","event_type":"added","occurred_at":"2026-03-01T10:00:00Z","contact_id":5,'
        f'"contact_name":"{_OTHER}","email":"other@example.com"}}',
        f'{{"event_id":"j3","event_type":"merged","occurred_at":"2026-03-09T10:00:00Z","contact_id":"0090817263",'
        f'"merged_contact_id":6,"contact_name":"{_NAME}"}}',
        f'{{"event_id":"j4","event_type":"added","contact_id":"90817263","contact_name":"{_NAME}"}}',
        f'{{"event_id":"j5","contact":90817263,"contact_name":"{_NAME}"}}',
        f'{{"event_id":"j6","contact_id":90817263,"contact_name":"{_NAME}",,}}',
    ],
    "acme/events/2.csv": [
        "event_id,event_type,occurred_at,contact_id,contact_name,source,merged_contact_id,note",
        f"c1,deleted,2026-03-08T10:00:00Z, 0090817263.0 ,{_NAME},user,,Wunderkerze",
        f"c2,merged,2026-03-09T11:00:00Z,7,{_NAME},user,90817263,",
        "c3,deleted,2026-03-08T10:00:00Z,5,Ordinary Person,user,,kept",
        "c4,added,2026-03-08T10:00:00Z,90817263,Quorvath, Zyxonia,user,,",
        'c5,deleted,2026-03-08T10:00:01Z,90817263,"Quorvath, Zyxonia",user,,',
    ],
    "acme/report_logs/contacts-added.csv": [
        "Timestamp,Contact ID,Contact Name,Source,User,Email",
        f"2026-03-01 11:00:00,90817263,{_NAME},User,Ann,zyxquo@example.com",
        f"2026-03-01 11:00:00,5,{_OTHER},User,Ann,other@example.com",
    ],
    "acme/report_logs/contacts-connected.csv": [
        "Horodatage;ID du contact;Nom du contact;Source;Canal;Utilisateur",
        f'2026-03-02 11:00:00;90817263;"{_NAME}";Utilisateur;WhatsApp;Ann',
        f'2026-03-02 12:00:00;5;"{_OTHER}";Utilisateur;WhatsApp;Ann',
    ],
    "acme/report_logs/something.csv": ["When,Who,Number", f"2026-03-02,{_NAME},90817263", f"2026-03-02,{_OTHER},5"],
    "acme/data_export/contacts.csv": [
        "Contact ID,First Name,Last Name,Email,Phone,DateTime Created",
        "90817263,Zyxonia,Quorvath,zyxquo@example.com,+15550199,2026-03-01 11:00:01",
        "5,Ordinary,Person,other@example.com,+1555,2026-03-01 11:00:01",
    ],
    "acme/data_export/messages.csv": [
        "Date & Time,Message ID,Contact ID,Sender Type,Sender ID,Channel ID,Content",
        '2026-03-02 11:00:01,777,90817263,contact,,11,"{""text"":""Wunderkerze, please""}"',
        "2026-03-02 12:00:01,778,5,contact,,11,hello",
    ],
    "acme/webhooks/1.jsonl": [
        '{"event_id":"w1","event_type":"contact.created","contact":{"id":90817263,"firstName":"Zyxonia",'
        '"lastName":"Quorvath","phone":"+15550199","created_at":1772359200}}',
        '{"event_id":"w2","event_type":"message.received","contact":{"id":90817263,"firstName":"Zyxonia"},'
        '"message":{"messageId":779,"timestamp":1772445600,"message":{"text":"Wunderkerze"}},'
        '"channel":{"id":11,"name":"WhatsApp","source":"whatsapp"},"user":{"id":3,"firstName":"Ann","lastName":"Lee"}}',
        '{"event_id":"w3","event_type":"contact.updated","contact":{"id":"90817263","email":"zyxquo@example.com"}}',
        '{"event_id":"w4","event_type":"message.sent","contact":{"id":90817263},"message":{"messageId":780,'
        '"timestamp":1772445601,"status":[{"value":"failed","message":"no such number 5550199"}]}}',
        '{"event_id":"w5","event_type":"conversation.closed","contactId":90817263,"summary":"Wunderkerze"}',
        '{"event_id":"w6","event_type":"contact.created","contact":{"id":5,"firstName":"Ordinary",'
        '"created_at":1772359200}}',
    ],
    "acme/api/contacts-1.jsonl": [
        '{"id":90817263,"firstName":"Zyxonia","lastName":"Quorvath","phone":"+15550199","created_at":1772359200}',
        '{"id":5,"firstName":"Ordinary","lastName":"Person","created_at":1772359200}',
    ],
    # The same number is another contact here.
    "other/events/1.csv": [
        "event_id,event_type,occurred_at,contact_id,contact_name",
        f"o1,added,2026-03-01T10:00:00Z,90817263,{_OTHER}",
    ],
}


def land_the_contact(pipeline: Pipeline) -> None:
    """Have all of these files arrive."""
    write(pipeline, "workspaces.csv", ["workspace_id,workspace_name,timezone", "acme,Acme,Europe/Paris", "other,O,UTC"])
    for path, lines in _LINES.items():
        write(pipeline, path, lines)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select 'p1' as event_id, 'connected' as event_type, timestamptz '2026-03-02 10:00:00Z' as occurred_at,
                    90817263.0::double as contact_id, '{_NAME}' as contact_name, 11 as channel_id, 'zyxquo@x' as email
                union all
                select 'p2', 'connected', timestamptz '2026-03-02 10:00:00Z', 5, '{_OTHER}', 12, 'other@x'
            ) to '{pipeline.landing}/acme/events/3.parquet'"""
        )


def write(pipeline: Pipeline, path: str, lines: Iterable[str]) -> None:
    file = pipeline.landing / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))


def traces(data: Path, needles: Iterable[str], *, but: str = "landing") -> list[str]:
    """Where a data folder has any of these texts: in the bytes of a file, or decoded in one of Parquet or DuckDB."""
    wanted = [needle.encode() for needle in needles]
    found = []
    for path in sorted(data.rglob("*")):
        if not path.is_file() or but in path.relative_to(data).parts:
            continue
        content = path.read_bytes()
        for part in (content, *_decoded(path, content)):
            found += [f"{path.relative_to(data)}: {needle.decode()}" for needle in wanted if needle in part]
    return found


def _decoded(path: Path, content: bytes) -> Iterator[bytes]:
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            rows = connection.execute("from read_parquet($1)", [glob.escape(str(path))]).fetchall()
            statistics = connection.execute("from parquet_metadata($1)", [glob.escape(str(path))]).fetchall()
        yield repr((rows, statistics)).encode()
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute(
                'select format(\'"{}"."{}"\', table_schema, table_name) from information_schema.tables'
            ).fetchall()
            for (table,) in tables:
                yield repr(connection.execute(f"select * from {table}").fetchall()).encode()
