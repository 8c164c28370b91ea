"""The form of the filters: what its fields show, and what is wrong with what was typed into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from page.filters import Filters, Refused

# The form has one field for the contact. It takes a name or ids.
CONTACT_FIELD, SHOWN_CONTACT = "q", "shown"
# The fields of the parameters. Others, such as `workspace`, have none.
_FIELDS = {
    "from": "from",
    "to": "to",
    "frequency": "frequency",
    "compared_with": "compared_with",
    "channel": "channel",
    "user": "user",
    "source": "source",
    "contact": "contact",
    "contact_name": "contact",
}


@dataclass(frozen=True)
class Form:
    """The texts in the fields of the form. Lists of values are in `choices.py`."""

    first_day: str
    last_day: str
    frequency: str
    contact: str
    shown_contact: str  # the filter by which the form knows whether the contact was changed
    problems: Mapping[str, Sequence[Refused]] = field(default_factory=dict)  # by field


def form_of(filters: Filters) -> Form:
    """The form under filters."""
    contact = ", ".join(map(str, filters.contacts)) if filters.contacts else filters.contact_name
    return Form(
        first_day="" if filters.date_range else filters.start.isoformat(),
        last_day="" if filters.date_range else filters.end.isoformat(),
        frequency=filters.frequency if filters.is_frequency_chosen else "",
        contact=contact,
        shown_contact=contact,
    )


def field_of(refused: Refused) -> str | None:
    """The field of the form that an invalid parameter belongs to, if any."""
    return _FIELDS.get(refused.parameter)


def with_problems(form: Form, pairs: Sequence[tuple[str, str]], problems: Sequence[Refused]) -> Form:
    """The form as it was filled in, with the problems beside their fields. `pairs` are those of the request."""
    by_field: dict[str, list[Refused]] = {}
    for problem in problems:
        if name := field_of(problem):
            by_field.setdefault(name, []).append(problem)

    def typed(*names: str) -> str:
        return ", ".join(value for name, value in pairs if name in names)

    if "from" in by_field or "to" in by_field:
        form = replace(form, first_day=typed("from"), last_day=typed("to"))
    if "frequency" in by_field:
        form = replace(form, frequency=typed("frequency"))
    if "contact" in by_field:
        is_from_form = any(name == CONTACT_FIELD for name, _ in pairs)
        form = replace(form, contact=typed(CONTACT_FIELD) if is_from_form else typed("contact", "contact_name"))
    return replace(form, problems=by_field)
