"""Digests made by hand."""

from collections.abc import Sequence
from datetime import date, timedelta

from publications.digest.numbers import Digest, Figure, WorkspaceNumbers

FIGURES = (
    Figure("contacts_added", 1234, 1222, 12, 100 * 12 / 1222),
    Figure("contacts_connected", 40, 0, 40, None),
    Figure("contacts_deleted", 0, 3, -3, -100.0),
    Figure("contacts_merged", 5, 5, 0, 0.0),
    Figure("net_growth", -1200, -7, -1193, None),
)


def workspace(
    workspace_id: str = "acme", name: str = "Acme", end: date = date(2026, 11, 29), needs: Sequence[str] = ()
) -> WorkspaceNumbers:
    """A workspace with the week that ends on a day."""
    day = timedelta(days=1)
    return WorkspaceNumbers(
        workspace_id, name, end - 6 * day, end, end - 13 * day, end - 7 * day, figures=FIGURES, needs=needs
    )


def digest(*workspaces: WorkspaceNumbers, needs: Sequence[str] = (), page_url: str | None = None) -> Digest:
    """The weekly digest of some workspaces, or of one."""
    chosen = workspaces or (workspace(),)
    return Digest("week", {one.workspace_id: one.end for one in chosen}, chosen, needs, page_url)
