"""The businesses of the sample, as workspaces.yaml describes them: their people, channels, habits and names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml  # type: ignore[import-untyped]


@dataclass(frozen=True)
class User:
    """A user of the workspace. Days are counted from the sample's first."""

    user_id: str
    user_name: str
    deleted_on_day: int | None = None
    in_directory: bool = True


@dataclass(frozen=True)
class Channel:
    """A channel of the workspace. Its weight says how likely it is, compared with the others."""

    channel_id: str
    channel_name: str
    channel_type: str
    weight: float
    deleted_on_day: int | None = None


@dataclass(frozen=True)
class Source:
    """A source as this business's tools spell it.

    A source that `brings_a_message` connects the contact as it adds it.
    """

    spelling: str | None
    added: float = 0.0  # how likely it adds a contact, compared with the others
    connected: float = 0.0  # how likely it connects one later
    is_user: bool = False
    brings_a_message: bool = False


Words = Sequence[str]


@dataclass(frozen=True)
class Workspace:
    """A business and its habits."""

    workspace_id: str
    workspace_name: str
    timezone: str
    file_suffix: Literal[".jsonl", ".jsonl.gz", ".csv"]  # of its events
    timestamp_format: str
    timestamps_in_utc: bool
    contacts_a_day: float
    growth: float  # by which part the business grows in the long run
    weekdays: Sequence[float]  # Monday first
    hours: Sequence[float]  # of the local day
    open_weekdays: frozenset[int]
    open_hours: tuple[int, int]
    contact_ids_from: int
    sources: Sequence[Source]
    import_source: str
    users: Sequence[User]
    channels: Sequence[Channel]
    names: Sequence[tuple[float, Sequence[Words]]]  # weight, and the lists of which a name has one word each
    nicknames: Words
    arrives_by: Literal["events", "report logs", "api"] = "events"


@cache
def sample_workspaces() -> Sequence[Workspace]:
    """The workspaces of the sample."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return tuple(_workspace(fields) for fields in yaml.safe_load(text))


def _workspace(fields: Mapping[str, Any]) -> Workspace:
    names = tuple((each["weight"], tuple(map(_words, each["words"]))) for each in fields["names"])
    return Workspace(
        **{
            **fields,
            "open_weekdays": frozenset(fields["open_weekdays"]),
            "sources": tuple(Source(**source) for source in fields["sources"]),
            "users": tuple(User(**user) for user in fields["users"]),
            "channels": tuple(Channel(**channel) for channel in fields["channels"]),
            "names": names,
        }
    )


def _words(words: str | Words) -> Words:
    return words.split() if isinstance(words, str) else words
