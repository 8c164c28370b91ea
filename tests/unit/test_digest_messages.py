"""The texts of a digest: what a person reads, and that a name can be nothing but a name."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.lib.posting import TEXT_AT_MOST
from publications.digest.messages import chat_message, html, plain_text, subject
from publications.digest.numbers import Digest, period_of
from tests.digests import digest, workspace

WICKED = [
    "<!channel> & <https://evil.example|click>",
    "a`b``` *bold* _it_ ~s~ @channel",
    "Acme\r\nBcc: victim@example.com\r\n\r\nhello",
    "</h2><script>alert(1)</script>{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\x1b[31m\x00",
    "日本語 العربية 👩‍👩‍👧 Z͑͗a̎lgo",
    "x" * 5000,
    " ",
]


class _Read(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_text_has_each_number_its_change_and_what_needs_somebody() -> None:
    text = plain_text(digest(workspace(needs=["Cut logs: 1, see quality.cut_report_logs"]), needs=["It is stale"]))
    assert text == (
        "! It is stale\n"
        "\n"
        "Acme\n"
        "23 – 29 Nov 2026, against 16 – 22 Nov 2026\n"
        "  Added          1,234      +12     +1.0%\n"
        "  Connected         40      +40\n"
        "  Deleted            0       −3   −100.0%\n"
        "  Merged             5        0     +0.0%\n"
        "  Net growth    −1,200   −1,193\n"
        "  ! Cut logs: 1, see quality.cut_report_logs\n"
    )


def test_the_html_says_the_same() -> None:
    read = _Read(html(digest(workspace(needs=["Cut logs: 1"]), needs=["It is stale"])))
    words = " ".join(read.text.split())
    for said in ("Acme", "23 – 29 Nov 2026, against 16 – 22 Nov 2026", "Cut logs: 1", "It is stale", "Net growth"):
        assert said in words
    assert "1,234" in words and "−1,193" in words and "+1.0%" in words


@pytest.mark.parametrize("name", WICKED)
def test_a_name_adds_no_element_to_the_html(name: str) -> None:
    plain, wicked = _Read(html(digest(workspace(name="Acme")))), _Read(html(digest(workspace(name=name))))
    assert wicked.tags == plain.tags
    assert "49" not in wicked.text


@given(st.text())
def test_no_name_ends_the_block_of_code_or_is_read_by_slack(name: str) -> None:
    message = chat_message(digest(workspace(name=name), workspace("2", name)))
    before, block, after = message.split("```")
    assert (before, after) == ("*Contacts: week of 23 – 29 Nov 2026*\n", "")
    assert not re.search("[<>`]|&(?!amp;|lt;|gt;)", block)
    assert len(block.splitlines()) == 1 + 2 * 7 + 1, "a name is on one line"


def test_a_message_for_a_chat_is_whole_however_many_workspaces_there_are() -> None:
    many = [workspace(str(number), "&" * 100, needs=["Gaps in logs: 1"] * 8) for number in range(500)]
    message = chat_message(digest(*many, page_url="https://reports.example.com"))
    assert len(message) <= TEXT_AT_MOST
    assert message.endswith("```\n<https://reports.example.com|Report page>")
    [shown] = re.findall(r"… and (\d+) more workspaces", message)
    assert message.count("Added") + int(shown) == 500
    assert plain_text(digest(*many)).count("Added") == 500


def test_a_link_leads_to_the_period_of_the_workspace_on_the_report_page() -> None:
    page = html(digest(workspace('a&"b'), page_url="https://reports.example.com/"))
    address = "https://reports.example.com/?workspace=a%26%22b&amp;from=2026-11-23&amp;to=2026-11-29"
    assert f'href="{address}"' in page
    assert "href" not in html(digest(workspace()))


@pytest.mark.parametrize(
    ("period", "start", "end", "expected"),
    [
        ("day", date(2026, 11, 29), date(2026, 11, 29), "Contacts: 29 Nov 2026"),
        ("week", date(2026, 11, 23), date(2026, 11, 29), "Contacts: week of 23 – 29 Nov 2026"),
        ("week", date(2025, 12, 29), date(2026, 1, 4), "Contacts: week of 29 Dec 2025 – 4 Jan 2026"),
        ("week", date(2026, 9, 28), date(2026, 10, 4), "Contacts: week of 28 Sep – 4 Oct 2026"),
        ("month", date(2026, 2, 1), date(2026, 2, 28), "Contacts: month of 1 – 28 Feb 2026"),
    ],
)
def test_the_subject_names_the_days_and_no_workspace(period: str, start: date, end: date, expected: str) -> None:
    one = replace(workspace(name="A\r\nBcc: b@c.d"), start=start, end=end)
    assert subject(Digest(period, {"acme": end}, [one])) == expected


def test_a_digest_without_numbers_says_why() -> None:
    empty = Digest("week", {"": date(2026, 11, 29)}, needs=["Nothing is published yet"])
    assert subject(empty) == "Contacts: week of 29 Nov 2026"
    assert plain_text(empty) == "! Nothing is published yet\n"
    assert "Nothing is published yet" in _Read(html(empty)).text
    assert "Nothing is published yet" in chat_message(empty)


@pytest.mark.parametrize(
    ("cron", "period"),
    [
        ("0 7 * * 1", "week"),
        ("0 7 * * mon", "week"),
        ("@weekly", "week"),
        ("0 7 1 * *", "month"),
        ("0 7 L * *", "month"),
        ("@monthly", "month"),
        ("0 7 * * *", "day"),
        ("0 7 * * 1-5", "day"),
        ("0 7 * * 1,4", "day"),
        ("0 7 1,15 * *", "day"),
        ("0 7 1 * 1", "day"),
        ("@hourly", "day"),
    ],
)
def test_the_period_follows_from_the_schedule(cron: str, period: str) -> None:
    assert period_of(cron) == period
