"""Shows by examples from the contract how the reference implementation reads instants, contact ids and sources."""

from datetime import UTC, datetime

import pytest

from tests.reckoning.values import parse_contact_id, parse_instant, resolved_source


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-06-01T12:00:00Z", datetime(2025, 6, 1, 12, tzinfo=UTC)),
        ("2025-06-01 12:00+02", datetime(2025, 6, 1, 10, tzinfo=UTC)),
        ("2025-06-01T12:00:30-0330", datetime(2025, 6, 1, 15, 30, 30, tzinfo=UTC)),
        ("2025-06-01T12:00:00.1234569+05:45", datetime(2025, 6, 1, 6, 15, 0, 123456, tzinfo=UTC)),
        ("2024-02-29T23:59:59.5-23:59", datetime(2024, 3, 1, 23, 58, 59, 500000, tzinfo=UTC)),
        ("2025-02-29T12:00:00Z", None),
        ("2025-06-01T12:00:00", None),
        ("2025-06-01T24:00:00Z", None),
        ("2025-06-01T23:59:60Z", None),
        ("2025-06-01T12:00.5Z", None),
        ("2025-06-01T12:00:00 Z", None),
        ("2025-06-01t12:00:00z", None),
        ("2025-06-01T12:00:00+24:00", None),
        ("2025-06-01T12:00:00+05:60", None),
        ("9999-12-31T23:59:59-01:00", None),
    ],
)
def test_an_occurred_at_is_iso_8601_with_an_offset(text: str, instant: datetime | None) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    ("text", "contact_id"),
    [
        ("123", 123),
        ("123.0", 123),
        ("007", 7),
        ("0009223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("0", None),
        ("0.0", None),
        ("-5", None),
        ("+5", None),
        ("1e3", None),
        ("5.00", None),
        ("٣", None),
        ("", None),
    ],
)
def test_a_contact_id_is_digits_below_2_to_the_63(text: str, contact_id: int | None) -> None:
    assert parse_contact_id(text) == contact_id


@pytest.mark.parametrize(
    ("text", "event_type", "source"),
    [
        ("Contact Import", "added", "contact_import"),
        ("CONTACT__-  import", "added", "contact_import"),
        ("Message d'écho", "added", "echo_message"),
        ("message d\u2019Echo", "added", "echo_message"),
        ("API_DEVELOPPEUR", "added", "developer_api"),
        ("paid_ads", "connected", "click_to_chat_ads"),
        ("API", "added", "developer_api"),
        ("contactimport", "added", "other"),
        (None, "connected", "unknown"),
        (None, "merged", "user"),
    ],
)
def test_a_source_is_matched_by_any_of_its_spellings(text: str | None, event_type: str, source: str) -> None:
    assert resolved_source(text, event_type) == source
