"""Static files, such as the style sheet, with a fingerprint in the address so that browsers can cache them."""

import functools
import hashlib
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).with_name("static")
_KEPT = "private, max-age=31536000, immutable"


@functools.cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def static_address(name: str) -> str:
    """The address of a static file. It has a fingerprint of the content, so that browsers can cache the file."""
    return f"/static/{name}?v={_fingerprint(name)}"


class Static(StaticFiles):
    """Serves the folder. Browsers may cache a file if its address has the right fingerprint."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
        if response.status_code in (200, 304) and asked == [_fingerprint(path)]:
            response.headers["Cache-Control"] = _KEPT
        return response
