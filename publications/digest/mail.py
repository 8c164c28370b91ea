"""Delivers a digest by SMTP, as text and HTML."""

import contextlib
import hashlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from orchestration.lib.posting import NotSent
from orchestration.lib.text import printable
from publications.digest.channels import Recipient
from publications.digest.messages import html, plain_text, subject
from publications.digest.numbers import Digest

SMTP_SECONDS = 30
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_ANSWER_AT_MOST = 200


class Mail:
    """A mail server, and the addresses of CONTACT_REPORTS_DIGEST_TO. A message names all that it is delivered to."""

    def __init__(self, server: SecretStr, sender: str, addresses: Sequence[str]) -> None:
        self._server = server
        self._sender = sender
        self.recipients = [Recipient(f"mail to {address}", SecretStr(address)) for address in addresses]

    def deliver(self, digest: Digest, recipients: Sequence[Recipient]) -> Iterator[tuple[Recipient, NotSent | None]]:
        addresses = [recipient.address.get_secret_value() for recipient in recipients]
        refused = self._send(_message(digest, self._sender, addresses), addresses)
        for recipient, address in zip(recipients, addresses, strict=True):
            yield recipient, refused.get(address)

    def _send(self, message: EmailMessage, addresses: Sequence[str]) -> Mapping[str, NotSent]:
        """Send a message. Returns the addresses that did not get it, and why."""
        try:
            with self._connected() as smtp:
                refused = smtp.send_message(message, self._sender, addresses)
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except (OSError, smtplib.SMTPException) as error:
            return dict.fromkeys(addresses, _not_sent(error))
        return {address: _refused("the address", *answer) for address, answer in refused.items()}

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A connection on which mail may be sent. What goes wrong when it is ended, after that, is no failure."""
        server, context = urlsplit(self._server.get_secret_value()), ssl.create_default_context()
        host, port = server.hostname or "", server.port or _PORTS[server.scheme]
        smtp = (
            smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=context)
            if server.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=SMTP_SECONDS)
        )
        try:
            if server.scheme == "smtp":
                # Raises where the server does not offer it: nothing is sent in clear text by chance.
                smtp.starttls(context=context)
            if server.username and server.password:
                smtp.login(unquote(server.username), unquote(server.password))
            yield smtp
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
        finally:
            smtp.close()


def _message(digest: Digest, sender: str, addresses: Sequence[str]) -> EmailMessage:
    """The message. Its id is the same each time, so that mail programs show one that was sent twice once."""
    what = repr((digest.period, sorted(digest.ends.items()), sorted(addresses)))
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject(digest)
    message["From"] = f"contact-reports <{sender}>"
    message["To"] = ", ".join(addresses)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{hashlib.sha256(what.encode()).hexdigest()[:32]}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    # In ASCII, as a server need not take 8 bits.
    message.set_content(plain_text(digest), cte="quoted-printable")
    message.add_alternative(html(digest), subtype="html", cte="quoted-printable")
    return message


def _not_sent(error: OSError | smtplib.SMTPException) -> NotSent:
    """Why nothing was sent. What the server answered to a user and a password is not repeated."""
    match error:
        case smtplib.SMTPAuthenticationError():
            reason = f"the mail server refused the user and the password ({error.smtp_code})"
            return NotSent(reason, is_transient=error.smtp_code < 500)
        case smtplib.SMTPSenderRefused():
            return _refused("the sender", error.smtp_code, error.smtp_error)
        case smtplib.SMTPResponseException():
            return _refused("the message", error.smtp_code, error.smtp_error)
        case ssl.SSLCertVerificationError():
            reason = f"the certificate of the mail server is not valid ({error.verify_message})"
            return NotSent(reason, is_transient=False)
        case ssl.SSLError():
            return NotSent(f"no TLS with the mail server ({error.reason})", is_transient=False)
        case smtplib.SMTPServerDisconnected():
            return NotSent("the mail server ended the connection, or did not answer in time", is_transient=True)
        case smtplib.SMTPException():
            return NotSent(f"the mail server cannot do it: {printable(str(error))}", is_transient=False)
    reason = f"the mail server cannot be reached ({error.strerror or type(error).__name__})"
    return NotSent(reason, is_transient=True)


def _refused(what: str, code: int, answer: bytes | str) -> NotSent:
    text = answer if isinstance(answer, str) else answer.decode("ascii", "replace")
    said = f"{code} {printable(' '.join(text.split()))[:_ANSWER_AT_MOST]}".strip()
    return NotSent(f"the mail server refused {what}: {said}", is_transient=code < 500)
