"""Values as JSON has them, in every answer for programs."""

import json
import math
from datetime import UTC, date, datetime

from starlette.responses import Response


def json_response(content: object, status: int = 200) -> Response:
    """An answer in JSON."""
    text = json.dumps(plain(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def plain(value: object) -> object:
    """A value for JSON: timestamps in UTC, local times without a zone, dates as text, null for NaN."""
    match value:
        case dict():
            return {key: plain(part) for key, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case float():
            return value if math.isfinite(value) else None
        case datetime() if value.tzinfo:
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case date():
            return value.isoformat()
    return value
