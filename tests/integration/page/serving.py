"""The reports API on a published file, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette

from page.api import routes
from page.downloads import Downloads
from page.publication import Publication


@contextmanager
def api_of(published: Path, exports: Path) -> Iterator[Starlette]:
    """The API as an application."""
    exports.mkdir()
    with Publication(published, exports) as publication:
        yield Starlette(routes=routes(publication, Downloads(publication, exports)))
