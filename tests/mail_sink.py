"""A mail server that keeps what it takes: STARTTLS or TLS, users with passwords, refusals, and long pauses."""

import base64
import re
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


@dataclass
class Sink:
    """What the server does, and what it took."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    from_the_start: bool = False
    users: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # recipient → answer
    answers: dict[str, str] = field(default_factory=dict)  # command → answer instead of the usual one
    pause: float = 0  # before the first line
    ends_after_data: bool = False  # takes a message, and goes without an answer
    taken: list[tuple[list[str], bytes]] = field(default_factory=list)  # recipients, message
    heard: list[str] = field(default_factory=list)  # the commands, as `TLS MAIL` or `clear MAIL`

    def message(self, number: int = -1) -> EmailMessage:
        parsed = message_from_bytes(self.taken[number][1], policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    sink: Sink


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        sink = self.server.sink
        self.is_safe = self.is_known = False
        self.recipients: list[str] = []
        # The other side may end the connection at any moment.
        with suppress(OSError):
            if sink.from_the_start and not self._wrap():
                return
            time.sleep(sink.pause)
            self._say("220 sink")
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                if self._take(line) is False:
                    return

    def finish(self) -> None:
        super().finish()
        # The server closes the socket that came in, not the one of TLS around it.
        self.request.close()

    def _take(self, line: str) -> bool:
        sink, command = self.server.sink, line.split(" ")[0].upper()
        sink.heard.append(f"{'TLS' if self.is_safe else 'clear'} {command}")
        if command in sink.answers:
            self._say(sink.answers[command])
        elif command in ("EHLO", "HELO"):
            offers = ["STARTTLS"] if sink.tls and not self.is_safe else []
            offers += ["AUTH PLAIN"] if sink.users and (self.is_safe or not sink.tls) else []
            said = ["sink", *offers]
            self.wfile.write("".join(f"250{' ' if one is said[-1] else '-'}{one}\r\n" for one in said).encode())
        elif command == "STARTTLS":
            self._say("220 go")
            return self._wrap()
        elif command == "AUTH":
            _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
            self.is_known = sink.users.get(user) == password
            self._say("235 ok" if self.is_known else f"535 5.7.8 {password} is not the password of {user}")
        elif command == "MAIL" and sink.users and not self.is_known:
            self._say("530 5.7.0 log in first")
        elif command == "RCPT":
            address = re.findall("<(.*)>", line)[0]
            if address not in sink.refused:
                self.recipients.append(address)
            self._say(sink.refused.get(address, "250 ok"))
        elif command == "DATA":
            self._say("354 go on")
            lines = []
            while (text := self.rfile.readline()) != b".\r\n":
                lines.append(text[1:] if text.startswith(b".") else text)
            sink.taken.append((self.recipients, b"".join(lines)))
            if sink.ends_after_data:
                return False
            self._say("250 taken")
        elif command == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("250 ok")
        return True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _wrap(self) -> bool:
        assert self.server.sink.tls is not None
        try:
            self.request = self.server.sink.tls.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            return False
        self.setup()
        self.is_safe = True
        return True


@contextmanager
def mail_sink() -> Iterator[Sink]:
    """A mail server on this machine, in threads."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.sink = Sink(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.sink
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A certificate that nobody signed: the server's side of it, and the file that makes a client trust it."""
    key, signed = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(signed)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed, key)
    return context, signed
