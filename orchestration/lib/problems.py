"""The errors an operator can act on: one line that names the thing, the place and the cure."""


class Problem(Exception):
    """Something a person has to mend before a run can succeed. Its text is the whole message, on one line."""

    def __init__(self, what: str, cure: str | None = None) -> None:
        super().__init__(" ".join((f"{what}. {cure}" if cure else what).split()))
