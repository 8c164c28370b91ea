"""Generates the files of the connectors: the same facts as report logs, exports, webhooks and what the API gave."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Callable
from random import Random

from tests.streams.canonical import Stream
from tests.streams.exports import Exports
from tests.streams.hooks import Hooks
from tests.streams.values import SOURCE_SPELLINGS
from tests.streams.writing import json_line


class Connectors(Exports, Hooks):
    """The connectors' files of a landing folder's history, made delivery by delivery."""

    def __init__(self, rng: Random, stream: Stream, events: int) -> None:
        super().__init__(rng, stream)
        self._folders_with_listings = stream.folders_with_directory
        self._events = events
        self._delivered: dict[str, bytes] = {}
        self._broken: dict[str, bytes] = {}
        self._cut_file_comes = self.chance(0.15)

    def deliver(self, delivery: dict[str, bytes | None]) -> None:
        """Adds the files that arrive, change or go before the next run."""
        for path in [path for path in self._broken if self.chance(0.5)]:
            delivery[path] = self._broken.pop(path)
        left = self._events
        while left > 0:
            size = min(left, self.rng.randint(1, max(1, self._events // 2)))
            left -= size
            folder = self.rng.choice(list(self._zones))
            self._facts[folder] += [self._fact(folder) for _ in range(size)]
            for _ in range(self.rng.choice((2, 3, 4))):
                self._deliver_file(folder, size, delivery)
        for folder in self._folders_with_listings:
            for kind, people in (("users", self._users[folder]), ("channels", self._channels[folder])):
                if self.chance(0.3):
                    delivery[f"{folder}/api/{kind}.jsonl"] = self._listing(kind, people)
        if self.chance(0.5):
            self._deliver_downloads(delivery)
        if self._cut_file_comes and self._delivered:
            self._cut_file_comes = False
            folder = self.rng.choice(list(self._zones))
            delivery[f"{folder}/report_logs/contacts-added-cut.csv"] = self._cut_report_log()
        self._redeliver(delivery)
        self._deliver_clutter(delivery)

    def _deliver_file(self, folder: str, size: int, delivery: dict[str, bytes | None]) -> None:
        makers: tuple[Callable[[str, int], tuple[str, bytes]], ...] = (
            *[self._report_log] * 3,
            *[self._webhooks] * 2,
            self._exported_contacts,
            self._exported_messages,
            self._api_contacts,
            self._canonical,
        )
        path, content = self.rng.choice(makers)(folder, size)
        if not path.startswith(("api/", "events/")) and self.chance(0.2):
            path, content = f"{path}.gz", gzip.compress(content, mtime=0)
            if self.chance(0.3):
                self._broken[f"{folder}/{path}"] = content
                content = self.damaged(content)
        delivery[f"{folder}/{path}"] = content
        if f"{folder}/{path}" not in self._broken:
            self._delivered[f"{folder}/{path}"] = content

    def _deliver_downloads(self, delivery: dict[str, bytes | None]) -> None:
        """Several downloads of one log, which may overlap or leave days out."""
        folder = self.rng.choice([folder for folder, facts in self._facts.items() if facts])
        event_type = self.rng.choice(self._facts[folder]).event_type
        for _ in range(3):
            path, content = self._report_log(folder, 1, event_type)
            delivery[f"{folder}/{path}"] = content

    def _redeliver(self, delivery: dict[str, bytes | None]) -> None:
        known = [path for path in self._delivered if path not in delivery]
        self.rng.shuffle(known)
        for path in known[:2]:
            action = self.rng.choice(("copy", "rename", "remove", "grow", "elsewhere"))
            content = self._delivered[path]
            workspace, kind, name = path.split("/")
            copy = f"{self._number()}.".join(name.split(".", 1))
            if action in ("copy", "rename"):
                delivery[f"{workspace}/{kind}/{copy}"] = content
            if action in ("rename", "remove"):
                delivery[path] = None
                del self._delivered[path]
            elif action == "elsewhere":
                delivery[f"{self.rng.choice(list(self._zones))}/{kind}/{copy}"] = content
            elif action == "grow" and can_grow(path, content):
                lines = content.splitlines(keepends=True)
                self._delivered[path] = delivery[path] = content + (lines[-1] if content.endswith(b"\n") else b"\n")

    def _deliver_clutter(self, delivery: dict[str, bytes | None]) -> None:
        folder = self.rng.choice(list(self._zones))
        if self._facts[folder] and self.chance(0.3):
            path, content = self.rng.choice((self._report_log, self._webhooks))(folder, 3)
            parent, name = path.rsplit("/", 1)
            hidden = self.rng.choice((f".{name}", f"{name}.tmp", f"{name}.part"))
            delivery[f"{folder}/{parent}/{hidden}"] = content
        if self.chance(0.2):
            other = (
                "report_logs/a.jsonl",
                "data_export/a.txt",
                "webhooks/a.csv",
                "api/other.jsonl",
                "api/tags-1.jsonl",
            )
            delivery[f"{folder}/{self.rng.choice(other)}"] = b'{"id": 1, "created_at": 1714557600}\n'
        if self.chance(0.1):
            empty = ("report_logs/contacts-added.csv", "webhooks/none.jsonl", "api/contacts-none.jsonl")
            delivery[f"{folder}/{self.rng.choice(empty)}"] = self.rng.choice((b"", b"\n", b"\xef\xbb\xbf"))

    def _canonical(self, folder: str, size: int) -> tuple[str, bytes]:
        lines = []
        for fact in self._reported(folder, size, "added", "connected", "deleted", "merged"):
            event = {
                "event_id": f"fact-{fact.number}",
                "event_type": fact.event_type,
                "occurred_at": f"{fact.moment:%Y-%m-%dT%H:%M:%S.%fZ}",
                "contact_id": fact.contact_id,
                "source": self.rng.choice(SOURCE_SPELLINGS[fact.source]),
                "user_id": self._person(self._users[folder], fact.user),
                "channel_id": self._person(self._channels[folder], fact.channel),
                "merged_contact_id": fact.merged_contact_id,
            }
            if fact.event_type == "added" and self.chance(0.1):
                # The same event by another route under the same id: what was loaded last stands.
                event["event_id"] = f"00000000-0000-4000-8000-{fact.number:08}0000"
            lines.append(json_line(event).encode())
        return f"events/facts-{self._number()}.jsonl", self.text_file(lines)


def can_grow(path: str, content: bytes) -> bool:
    """Whether the last line of a file can be repeated: a quote in it could close the quote of the line before."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return not path.endswith(".gz") and not is_utf_16 and not (".csv" in path and b'"' in content.splitlines()[-1])
