"""The audit of packages, against a database of our own."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.audit import audit

WEAK = "weak-package"


class Database(BaseHTTPRequestHandler):
    """Speaks as OSV does, and knows of one package with a weakness."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {"id": "OSV-2026-1", "details": "", "affected": [{"package": asked["package"]}]}
        answer = json.dumps({"vulns": [known]} if asked["package"]["name"] == WEAK else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def database() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("sound-package==1.0\n")
    return path


def test_a_package_with_a_known_weakness_fails_the_audit_by_name(database: str, lock: Path) -> None:
    assert audit(lock, database)[0] == 0
    lock.write_text(f"sound-package==1.0\n{WEAK}==1.0\n")
    code, said = audit(lock, database)
    assert code == 1
    assert WEAK in said
    assert "OSV-2026-1" in said


def test_a_database_that_does_not_answer_is_said_and_fails_nothing(lock: Path) -> None:
    code, said = audit(lock, "http://127.0.0.1:9/v1/query")
    assert code == 0
    assert "nobody looked" in said


def test_a_lock_that_cannot_be_read_fails(tmp_path: Path, database: str) -> None:
    assert audit(tmp_path / "nowhere.lock", database)[0] != 0
