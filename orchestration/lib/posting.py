"""Posts a text to an address that takes it as a Slack incoming webhook does: `{"text": …}`."""

import logging
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

POST_SECONDS = 10
# Slack takes 40,000 characters and shows fewer.
TEXT_AT_MOST = 8_000

# At INFO it would log the address of each request, and the address is the secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True)
class NotSent:
    """Why a message was not taken, without a secret. Transient: it may be taken within minutes."""

    reason: str
    is_transient: bool


def escaped(text: str) -> str:
    """A text in which Slack finds no link, no mention of a person or a channel, and no entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def post(address: SecretStr, text: str) -> NotSent | None:
    """Post a text as one message; more than TEXT_AT_MOST characters are cut. Returns None when it was taken."""
    body = {"text": text[:TEXT_AT_MOST]}
    try:
        # The body of the answer is not read: a server could send it for ever.
        with httpx.stream("POST", address.get_secret_value(), json=body, timeout=POST_SECONDS) as answer:
            status = answer.status_code
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
        return NotSent("it is not an address", is_transient=False)
    except httpx.HTTPError as error:
        return NotSent(_cause(error), is_transient=isinstance(error, httpx.TransportError))
    if 200 <= status < 300:
        return None
    return NotSent(f"status {status}", is_transient=status in (408, 429) or status >= 500)


def _cause(error: httpx.HTTPError) -> str:
    """Why there is no answer, in words. Messages of the library are not repeated: they may have the address."""
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {POST_SECONDS:g} seconds"
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return "the host is not known"
            case ssl.SSLCertVerificationError():
                return "the certificate is not valid"
            case ssl.SSLError():
                return "no TLS"
            case OSError(strerror=str(reason)):
                return reason[0].lower() + reason[1:]
    if isinstance(error, httpx.RemoteProtocolError):
        return "the connection ended without an answer"
    return "no connection"


def _causes(error: BaseException) -> Iterator[BaseException]:
    while cause := error.__cause__ or error.__context__:
        yield cause
        error = cause
