"""The values of filters in addresses mean what they meant."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from page.filters import Filters, channel_value

DAY = date(2026, 1, 1)
NAMES = st.one_of(st.none(), st.text(min_size=1), st.sampled_from(["unknown", "id:", "id:unknown", "id:id:x"]))


@given(st.lists(NAMES, max_size=5, unique=True))
def test_a_channel_is_found_again_whatever_its_id_is(channels: list[str | None]) -> None:
    values = tuple(map(channel_value, channels))
    filters = Filters(None, None, DAY, DAY, "day", False, channels=values)
    assert filters.arguments(["channel_ids"]).get("channel_ids", []) == channels
    assert len(set(values)) == len(channels)


@pytest.mark.parametrize(("channel", "value"), [(None, "unknown"), ("71015", "71015"), ("unknown", "id:unknown")])
def test_only_what_could_be_confused_is_written_with_a_prefix(channel: str | None, value: str) -> None:
    assert channel_value(channel) == value
