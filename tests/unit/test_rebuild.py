"""What a rebuild says of the days on which other events stand than before."""

from datetime import date

from orchestration.lib.warehouse.rebuild import describe_changes

MONDAY, TUESDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 8)
BEFORE = {("acme", MONDAY): (2, 11), ("acme", TUESDAY): (1, 7), ("acme", SUNDAY): (5, 3)}
# Another event on Monday, Tuesday gone, the same on Sunday; a day of another workspace.
AFTER = {("acme", MONDAY): (2, 12), ("acme", SUNDAY): (5, 3), ("brio", SUNDAY): (1_000, 4)}


def test_every_day_that_changed_is_named_with_its_events() -> None:
    assert describe_changes(BEFORE, AFTER, None, None) == [
        "acme 2026-03-02: 2 events before, 2 now",
        "acme 2026-03-03: 1 events before, 0 now",
        "brio 2026-03-08: 0 events before, 1,000 now",
        "days that changed in all: 3",
    ]


def test_of_a_range_of_days_those_are_named_and_the_others_counted() -> None:
    assert describe_changes(BEFORE, AFTER, MONDAY, MONDAY) == [
        "acme 2026-03-02: 2 events before, 2 now",
        "days that changed from 2026-03-02 to 2026-03-02: 1",
        "days that changed outside of these: 2",
    ]
    assert describe_changes(BEFORE, AFTER, TUESDAY, None)[-1] == "days that changed outside of these: 1"
    assert describe_changes(BEFORE, AFTER, None, TUESDAY)[-1] == "days that changed outside of these: 1"


def test_nothing_that_changed_is_none_and_an_unreadable_publication_is_all() -> None:
    assert describe_changes(BEFORE, BEFORE, None, None) == ["days that changed in all: 0"]
    assert describe_changes(None, AFTER, None, None) == ["What was published before cannot be read: every day is new."]
