"""Calls as SQL to be pasted mean what the bound ones do."""

from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page.calls import Call, Query, sql_literal

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.dates(),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)


@given(
    st.one_of(
        VALUES,
        st.lists(st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))),
    )
)
def test_a_literal_is_the_value_that_would_be_bound(value: Any) -> None:
    pasted = duckdb.execute(f"select {sql_literal(value)}").fetchone()
    bound = duckdb.execute("select $1", [value]).fetchone()
    assert pasted == bound


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        sql_literal(1.5)


def test_a_call_has_its_dates_by_position_and_its_filters_by_name() -> None:
    call = Call(
        "reports.contacts_added_between",
        {"start_date": date(2026, 1, 1), "end_date": date(2026, 1, 31), "sources": ["user"]},
        order_by="period_start",
        limit=10,
        offset=20,
    )
    assert call.text() == (
        "from reports.contacts_added_between(date '2026-01-01', date '2026-01-31', sources := ['user'])\n"
        "order by period_start\n"
        "limit 10 offset 20"
    )
    sql, values = call.bound()
    assert "(date '2026-01-01', date '2026-01-31', sources := $sources::json::varchar[])" in sql
    assert values == {"sources": '["user"]'}


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
LISTS = {
    "channel_ids": st.lists(st.one_of(st.none(), TEXTS), min_size=1),
    "contact_ids": st.lists(st.integers(1, 2**63 - 1), min_size=1),
}
ECHOED = duckdb.connect()
ECHOED.execute(
    """create macro echoed(start_date, end_date, channel_ids := null, contact_ids := null, contact_name := null)
    as table select start_date, end_date, channel_ids::varchar[], contact_ids::bigint[], contact_name"""
)


@settings(deadline=None)
@given(first=st.dates(), last=st.dates(), others=st.fixed_dictionaries({}, optional=LISTS | {"contact_name": TEXTS}))
def test_a_call_to_paste_is_the_call_that_is_run(first: date, last: date, others: dict[str, Any]) -> None:
    call = Call("echoed", {"start_date": first, "end_date": last, **others})
    run = ECHOED.execute(*call.bound()).fetchall()
    assert run == ECHOED.execute(call.text()).fetchall()
    assert run == [(first, last, *(others.get(name) for name in ("channel_ids", "contact_ids", "contact_name")))]


def test_the_values_of_a_query_are_written_into_it() -> None:
    query = Query("select $name, $name2 from x", {"name": "it's $name2", "name2": 2})
    assert query.text() == "select 'it''s $name2', 2 from x"
