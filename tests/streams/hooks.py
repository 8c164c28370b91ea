"""Generates what respond.io sends by itself or gives when asked: webhooks, and the API's contacts and listings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tests.streams.facts import Fact, Facts, Message
from tests.streams.people import People
from tests.streams.values import BROKEN_JSON, PERSONS, SENDERS, SHORTENED_IDS
from tests.streams.writing import JsonNumber, json_line

OTHER_WEBHOOKS = ("contact.updated", "contact.tag.updated", "conversation.opened", "comment.created", "call.ended", "x")
STATUSES: tuple[list[str], ...] = (
    *(["pending"], ["pending"], ["pending", "sent"], ["pending", "sent", "delivered"], ["sent"], ["delivered", "read"]),
    *(["pending", "failed"], ["Failed"], ["sent", "failed"], ["failed", "pending"], ["failed", "sent"], []),
)
BAD_EPOCHS = ("soon", "-5", "0", "99999999999999999999", "2024-05-01T10:00:00", "1e9")


class Hooks(Facts):
    """Webhooks and answers of the API that report the facts, their path below the workspace and their bytes."""

    def _webhooks(self, folder: str, size: int) -> tuple[str, bytes]:
        lines: list[bytes] = []
        for fact in self._reported(folder, size, "added", "connected"):
            for body in self._bodies(folder, fact):
                lines.append(
                    json_line(body, ensure_ascii=self.chance(0.3), colon=self.rng.choice((":", ": "))).encode()
                )
                if self.chance(0.08):
                    lines.append(lines[-1])
            if self.chance(0.04):
                lines.append(self.rng.choice(BROKEN_JSON).encode())
        return f"webhooks/{self.rng.choice(('hooks', '2024-05-01', 'é'))}-{self._number()}.jsonl", self.text_file(lines)

    def _bodies(self, folder: str, fact: Fact) -> list[dict[str, object]]:
        rng = self.rng
        bodies = []
        if fact.event_type == "added":
            bodies.append(self._body(fact, "contact.created", fact.moment, "0"))
        else:
            for number, message in enumerate(self._messages(fact)):
                for report in range(rng.choice((1, 1, 2))):
                    # What became of a message is another webhook about it, of another status.
                    hook = rng.choice(("message.received", "message.sent", "message.sent"))
                    body = self._body(fact, hook, message.moment, f"{number}{report}")
                    self._add_message(body, folder, fact, message)
                    bodies.append(body)
        if self.chance(0.15):
            other = self._body(fact, rng.choice(OTHER_WEBHOOKS), fact.moment, "other")
            self._add_names(other, folder, fact)
            bodies.append(other)
        rng.shuffle(bodies)
        for body in bodies:
            self._spoil(body, body.get("contact"))
        return bodies

    def _body(self, fact: Fact, hook: str, moment: datetime, copy: str) -> dict[str, object]:
        rng = self.rng
        first, _, last = fact.name.partition(" ")
        contact: dict[str, object] = {
            "id": self._json_id(str(fact.contact_id)),
            "firstName": first or None,
            "lastName": last or None,
            "assignee": {"id": None, "firstName": None},
            "created_at": self._epoch(moment if hook == "contact.created" else moment - timedelta(days=9)),
        }
        body: dict[str, object] = {
            "event_type": rng.choice((hook, hook, hook, hook.title())),
            "event_id": f"00000000-0000-4000-8000-{fact.number:08}{copy[:4]:0>4}",
            "contact": contact,
        }
        if self.chance(0.02):
            body["event_id"] = rng.choice(SHORTENED_IDS)
        return body

    def _add_message(self, body: dict[str, object], folder: str, fact: Fact, sent: Message) -> None:
        rng = self.rng
        message: dict[str, object] = {
            "messageId": rng.choice((JsonNumber(sent.message_id), sent.message_id, f"0{sent.message_id}.0")),
            "contactId": self._json_id(str(fact.contact_id)),
            "channelId": self._json_id(fact.channel),
            "timestamp": self._epoch(sent.moment),
            "message": {"type": "text", "text": 'say "hi"\n{"event_type": "added"}'},
            "status": [{"value": value, "timestamp": JsonNumber("1")} for value in rng.choice(STATUSES)],
        }
        if self.chance(0.1):
            message["status"] = rng.choice((None, "failed", [], [None], {}, [{"value": None}]))
        if self.chance(0.1):
            del message[rng.choice(("messageId", "channelId"))]
        body["message"] = message
        self._add_names(body, folder, fact)
        if self.chance(0.8):
            sender: dict[str, object] = {"source": rng.choice((*SENDERS, None, ""))}
            if self.chance(0.7):
                sender["userId"] = rng.choice((self._json_id(fact.user), None))
            body["sender"] = rng.choice((sender, sender, sender, None))
        if self.chance(0.1):
            del body["contact"]

    def _add_names(self, body: dict[str, object], folder: str, fact: Fact) -> None:
        """Adds the channel and the user of a message, mostly with their names."""
        rng = self.rng
        if self.chance(0.8):
            channel = {"id": self._json_id(fact.channel), "name": self._channels[folder].name(fact.channel)}
            channel["source"] = rng.choice(("whatsapp", "email", None))
            body["channel"] = rng.choice((*[channel] * 5, None, {"id": None}, {"id": channel["id"], "name": None}))
        if self.chance(0.5):
            user = rng.choice(("1", "2", fact.user))
            first, _, last = self._users[folder].name(user).partition(" ")
            body["user"] = {"id": self._json_id(user), "firstName": first, "lastName": rng.choice((last, last, None))}

    def _spoil(self, body: dict[str, object], contact: object) -> None:
        if self.chance(0.12):
            fault = self.rng.choice(("event_id", "event_type", "contact", "id", "created_at"))
            target = contact if fault not in body and isinstance(contact, dict) else body
            target.pop(fault, None)
            if self.chance(0.4):
                target[fault] = self.rng.choice((None, "", *SHORTENED_IDS))

    def _json_id(self, text: str) -> object:
        if self.chance(0.02):
            return self.rng.choice(("x", JsonNumber("0"), JsonNumber("1.5"), True))
        return JsonNumber(text) if self.chance(0.7) else text

    def _epoch(self, moment: datetime) -> object:
        """Seconds, milliseconds or microseconds, with or without a fraction, as a number or as text."""
        rng = self.rng
        if self.chance(0.05):
            bad = rng.choice(BAD_EPOCHS)
            return JsonNumber(bad) if re.fullmatch("-?[0-9]+(e9)?", bad) and self.chance(0.5) else bad
        microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        whole = rng.choice((10**6, 10**3, 1))
        text = str(microseconds // whole)
        if whole > 1 and self.chance(0.4):
            text += f".{microseconds % whole:0{len(str(whole)) - 1}}" + rng.choice(("", "9"))
        elif self.chance(0.1):
            return rng.choice((f"{moment:%Y-%m-%dT%H:%M:%S}Z", f"{moment:%Y-%m-%d %H:%M}+00:00"))
        return JsonNumber(text) if self.chance(0.7) else text

    def _api_contacts(self, folder: str, size: int) -> tuple[str, bytes]:
        lines = []
        for fact in self._reported(folder, size, "added"):
            first, _, last = fact.name.partition(" ")
            contact: dict[str, object] = {
                "id": self._json_id(str(fact.contact_id)),
                "firstName": first or None,
                "lastName": last,
                "tags": ["a", {"b": None}],
                "created_at": self._epoch(fact.moment),
            }
            self._spoil(contact, contact)
            lines.append(json_line(contact).encode())
        return f"api/contacts-{self._number()}.jsonl", self.text_file(lines)

    def _listing(self, kind: str, people: People) -> bytes:
        """All users or channels as the API lists them now: some are new, some have another name, some are gone."""
        rng = self.rng
        lines: list[bytes] = []
        for number in rng.sample((*people.ids, "5", "6"), rng.randint(0, len(people.ids) + 2)):
            name = people.name(number) if self.chance(0.8) else rng.choice(PERSONS)
            first, _, last = name.partition(" ")
            entry: dict[str, object] = {"id": self._json_id(number), "email": rng.choice((f"{number}@x.io", None))}
            if self.chance(0.1):
                entry["id"] = rng.choice((None, "", *SHORTENED_IDS))
            if kind == "users":
                entry |= {
                    "firstName": rng.choice((first, first, None)),
                    "lastName": rng.choice((last, last, None, "")),
                    "team": None,
                }
            else:
                entry |= {"name": rng.choice((name, name, name, None)), "source": rng.choice(("whatsapp", "email"))}
            lines.append(json_line(entry).encode())
            if self.chance(0.05):
                lines.append(rng.choice(BROKEN_JSON).encode())
        return self.text_file(lines)
