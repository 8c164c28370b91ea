"""The texts of a digest: subject, plain text, HTML, and the message of a chat."""

from datetime import date
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from orchestration.lib.posting import TEXT_AT_MOST, escaped
from orchestration.lib.text import printable
from publications.digest.numbers import Digest, Figure, WorkspaceNumbers

_LABELS = {
    "contacts_added": "Added",
    "contacts_connected": "Connected",
    "contacts_deleted": "Deleted",
    "contacts_merged": "Merged",
    "net_growth": "Net growth",
}
_NAME_AT_MOST = 60
# More are hard to read in a chat.
_WORKSPACES_IN_A_CHAT = 20


def subject(digest: Digest) -> str:
    """The subject, without any text of the publication: `Contacts: week of 23 – 29 Nov 2026`."""
    starts = [workspace.start for workspace in digest.workspaces] or list(digest.ends.values())
    days = _days(min(starts), max(digest.ends.values()))
    return f"Contacts: {'' if digest.period == 'day' else f'{digest.period} of '}{days}"


def plain_text(digest: Digest) -> str:
    """The digest as text."""
    return _text(digest, len(digest.workspaces))


def html(digest: Digest) -> str:
    """The digest as HTML for a mail. Every text in it is escaped."""
    return _TEMPLATES.get_template("digest.html").render(digest=digest, subject=subject(digest))


def chat_message(digest: Digest) -> str:
    """The digest as Slack reads it. The text is one block of code, in which nothing is a format, a link or a mention.

    It has as many workspaces as fit.
    """
    for shown in range(min(len(digest.workspaces), _WORKSPACES_IN_A_CHAT), -1, -1):
        text = escaped(_text(digest, shown).replace("`", "'"))
        link = f"\n<{escaped(digest.page_url)}|Report page>" if digest.page_url else ""
        message = f"*{escaped(subject(digest))}*\n```\n{text}```{link}"
        if len(message) <= TEXT_AT_MOST:
            break
    return message


def _text(digest: Digest, shown: int) -> str:
    return _TEMPLATES.get_template("digest.txt").render(digest=digest, shown=shown)


def _number(value: int) -> str:
    return f"{value:,}".replace("-", "\u2212")


def _signed(value: int) -> str:
    return f"{value:+,}".replace("-", "\u2212") if value else "0"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+,.1f}%".replace("-", "\u2212")


def _row(figure: Figure) -> str:
    """A figure as a line, in columns."""
    change = f"{_signed(figure.difference):>8} {_percent(figure.percent):>9}"
    return f"{_LABELS[figure.metric]:<10} {_number(figure.contacts):>9} {change}".rstrip()


def _days(start: date, end: date) -> str:
    """A range of days: 24 – 30 Nov 2026."""
    last = f"{end.day} {end:%b %Y}"
    if start == end:
        return last
    first = str(start.day)
    if (start.year, start.month) != (end.year, end.month):
        first += f" {start:%b}" if start.year == end.year else f" {start:%b %Y}"
    return f"{first} – {last}"


def _short(name: str) -> str:
    """A name on one line."""
    name = printable(" ".join(name.split())) or "–"
    return name if len(name) <= _NAME_AT_MOST else f"{name[: _NAME_AT_MOST - 1]}…"


def _page(digest: Digest, workspace: WorkspaceNumbers) -> str:
    """The address of the report page on the numbers of a workspace."""
    assert digest.page_url is not None
    query = {"workspace": workspace.workspace_id, "from": workspace.start, "to": workspace.end}
    return f"{digest.page_url.rstrip('/')}/?{urlencode(query)}"


_TEMPLATES = Environment(
    loader=PackageLoader("publications.digest"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters.update(number=_number, signed=_signed, percent=_percent, row=_row, short=_short)
_TEMPLATES.globals.update(days=_days, page=_page, labels=_LABELS)
