"""The reports API on a published file, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp

from page.access import Access
from page.api import routes
from page.app import application
from page.downloads import Downloads
from page.publication import Publication


@contextmanager
def api_of(published: Path, exports: Path) -> Iterator[ASGIApp]:
    """The API as an application."""
    exports.mkdir()
    publication = Publication(published, exports)
    api = routes(publication, Downloads(publication, exports))
    yield application(api, publication, Access(hosts=None, password=None))
