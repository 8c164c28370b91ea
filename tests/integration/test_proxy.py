"""The proxy that `deploy/nginx` puts before both pages: a real nginx with that file, before real pages."""

import base64
import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from orchestration.lib.settings import PROJECT_ROOT

HOST = "contact-reports.example.com"
REPORTS = "reports.example.com"
PASSWORD = "correct horse battery"  # pragma: allowlist secret
LOGIN = ("operator", "correct horse")
MUTATION = "mutation { setNuxSeen }"
# Debian has it where only root looks.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(port: int, *command: str, log: Path, folder: Path = PROJECT_ROOT, **environment: str) -> Iterator[None]:
    """Run a server until the end of the block, which begins when it listens."""
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a page of Dagster's without anything on it."""
    base = tmp_path_factory.mktemp("page")
    port = free_port()
    webserver = str(Path(sys.executable).with_name("dagster-webserver"))
    arguments = ("--empty-workspace", "--host", "127.0.0.1", "--port", str(port))
    with serving(port, webserver, *arguments, log=base / "log", folder=base, DAGSTER_HOME=str(base)):
        yield port


@pytest.fixture(scope="module")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a report page where nothing is published."""
    base = tmp_path_factory.mktemp("report-page")
    port = free_port()
    command = (sys.executable, "-m", "orchestration", "page", "--port", str(port))
    with serving(
        port,
        *command,
        log=base / "log",
        CONTACT_REPORTS_DATA=str(base),
        CONTACT_REPORTS_PAGE_PASSWORD=PASSWORD,
    ):
        yield port


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, page: int, report_page: int) -> Iterator[int]:
    """The port of nginx with the shipped file, in which only places and ports are others."""
    assert NGINX is not None, "nginx is not installed: apt-get install nginx-light"
    base = tmp_path_factory.mktemp("proxy")
    port = free_port()
    shipped = (PROJECT_ROOT / "deploy" / "nginx" / "contact-reports.conf").read_text()
    moved = re.sub(r"\blisten 443 ssl", f"listen 127.0.0.1:{port} ssl", shipped)
    moved = moved.replace("/etc/contact-reports/proxy", str(base)).replace("127.0.0.1:3000", f"127.0.0.1:{page}")
    moved = moved.replace("127.0.0.1:8000", f"127.0.0.1:{report_page}")
    # The folder is the user's alone, who may be root; workers of root's nginx are somebody else otherwise.
    (base / "nginx.conf").write_text(
        f"""
        user root; daemon off; pid {base}/pid; error_log {base}/error.log; events {{}}
        http {{
            access_log off; client_body_temp_path {base}/a; proxy_temp_path {base}/b; fastcgi_temp_path {base}/c;
            uwsgi_temp_path {base}/d; scgi_temp_path {base}/e;
            {moved}
        }}"""
    )
    # As deploy/README.md says.
    certificate = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={HOST}"]
    files = ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", f"{base}/tls.key", "-out", f"{base}/tls.crt"]
    subprocess.run(["openssl", "req", *certificate, *files], check=True, capture_output=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=LOGIN[1], text=True, check=True, capture_output=True
    )
    (base / "htpasswd").write_text(f"{LOGIN[0]}:{hashed.stdout}")
    with serving(port, NGINX, "-p", str(base), "-c", str(base / "nginx.conf"), log=base / "log"):
        yield port


@pytest.fixture(scope="module")
def client(proxy: int) -> Iterator[httpx.Client]:
    """A browser of somebody who logged in."""
    with httpx.Client(
        base_url=f"https://127.0.0.1:{proxy}", headers={"Host": HOST}, auth=LOGIN, verify=context(), timeout=20
    ) as client:
        yield client


def context() -> ssl.SSLContext:
    made_here = ssl.create_default_context()
    made_here.check_hostname, made_here.verify_mode = False, ssl.CERT_NONE
    return made_here


@pytest.mark.slow
def test_dagster_itself_takes_mutations_from_any_website_under_any_name(page: int) -> None:
    # What the proxy is for.
    url, headers = (
        f"http://127.0.0.1:{page}/graphql",
        {"Host": "attacker.example", "Origin": "https://attacker.example"},
    )
    assert httpx.get(url, params={"query": MUTATION}, headers=headers).json() == {"data": {"setNuxSeen": True}}
    headers["Content-Type"] = "text/plain; application/json"
    assert httpx.post(url, content=f'{{"query": "{MUTATION}"}}', headers=headers).status_code == 200


@pytest.mark.slow
def test_what_the_page_asks_for_passes(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["X-Frame-Options"] == "DENY"
    (script, *_) = re.findall(r'src="(/[^"]*\.js)"', page.text)
    assert client.get(script).status_code == 200
    origin = {"Origin": f"https://{HOST}"}
    for headers in ({}, origin):
        answer = client.post("/graphql", json={"query": MUTATION}, headers=headers)
        assert answer.json() == {"data": {"setNuxSeen": True}}
    content_type = {"Content-Type": "application/json; charset=utf-8"}
    answer = client.post("/graphql", content=b'{"query": "{ version }"}', headers=content_type)
    assert answer.json()["data"]["version"]


@pytest.mark.slow
@pytest.mark.parametrize("login", [None, ("operator", "wrong"), ("somebody", LOGIN[1])])
def test_without_the_login_nothing_passes(client: httpx.Client, proxy: int, login: tuple[str, str] | None) -> None:
    with httpx.Client(base_url=client.base_url, headers={"Host": HOST}, verify=context(), auth=login) as nobody:
        assert nobody.get("/").status_code == 401
        assert nobody.get("/server_info").status_code == 401
        assert nobody.post("/graphql", json={"query": MUTATION}).status_code == 401
    with pytest.raises(InvalidStatus, match="401"), websocket(proxy, {}):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    "host", ["attacker.example", "127.0.0.1", "localhost", f"{HOST}.attacker.example", f"x.{HOST}"]
)
def test_any_other_host_is_refused(client: httpx.Client, host: str) -> None:
    for answer in (
        client.get("/", headers={"Host": host}),
        client.post("/graphql", json={"query": MUTATION}, headers={"Host": host}),
    ):
        assert answer.status_code == 421


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/graphql", "//graphql", "/./graphql", "/%67raphql", "/x/../graphql"])
def test_a_mutation_by_get_is_refused_however_the_path_is_written(client: httpx.Client, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = client.request(method, client.base_url.copy_with(raw_path=f"{path}?query={MUTATION}".encode()))
        assert answer.status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "text/plain; application/json", "text/plain;charset=application/json", "application/graphql"),
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=application/json", "application/jsonx"),
        None,
    ],
)
def test_a_mutation_that_a_form_of_another_website_can_send_is_refused(
    client: httpx.Client, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    content = f'{{"query": "{MUTATION}"}}'.encode()
    answer = client.post("/graphql", params={"query": MUTATION}, content=content, headers=headers)
    assert answer.status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "null", f"http://{HOST}", f"https://{HOST}.attacker.example"]
)
def test_a_request_that_another_website_asks_for_is_refused(client: httpx.Client, proxy: int, origin: str) -> None:
    assert client.post("/graphql", json={"query": MUTATION}, headers={"Origin": origin}).status_code == 403
    with pytest.raises(InvalidStatus, match="403"), websocket(proxy, login_header() | {"Origin": origin}):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_what_is_not_graphql_is_only_read(client: httpx.Client, method: str) -> None:
    for path in ("/", "/report_asset_materialization/x", "/graphql/"):
        assert client.request(method, path, json={}).status_code == 403


@pytest.mark.slow
def test_the_report_page_asks_for_its_own_password_behind_the_proxy(proxy: int) -> None:
    with httpx.Client(base_url=f"https://127.0.0.1:{proxy}", headers={"Host": REPORTS}, verify=context()) as reader:
        assert reader.get("/").headers["WWW-Authenticate"].startswith("Basic ")
        assert reader.get("/", auth=LOGIN).status_code == 401
        for credentials in ({"auth": ("anybody", PASSWORD)}, {"headers": {"Authorization": f"Bearer {PASSWORD}"}}):
            answer = reader.get("/", **credentials)
            assert answer.status_code == 503
            assert "Call make run" in answer.text
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert answer.headers["Strict-Transport-Security"]
        # Nothing of Dagster's is there, and nothing is written.
        assert reader.get("/server_info", auth=("anybody", PASSWORD)).status_code == 404
        assert reader.post("/graphql", json={"query": MUTATION}, auth=("anybody", PASSWORD)).status_code == 403
        # An address with many filters passes, and one that is too long for the page is refused.
        assert reader.get("/health", params={"x": "x" * 15_000}).status_code == 503
        assert reader.get("/health", params={"x": "x" * 20_000}).status_code == 414


@pytest.mark.slow
def test_the_proxy_lets_an_address_guess_some_twenty_passwords_a_second(proxy: int) -> None:
    with httpx.Client(base_url=f"https://127.0.0.1:{proxy}", headers={"Host": REPORTS}, verify=context()) as guesser:
        guesser.get("/health")
        statuses = [guesser.get("/health", auth=("x", f"wrong {number}")).status_code for number in range(400)]
        assert statuses.count(429) > 50
        assert 200 < statuses.count(503) < 350
        assert guesser.get("/health").status_code == 503


@pytest.mark.slow
def test_the_websocket_of_the_page_passes(proxy: int) -> None:
    with websocket(proxy, login_header() | {"Origin": f"https://{HOST}"}) as connection:
        connection.send('{"type": "connection_init"}')
        assert "connection_ack" in str(connection.recv(timeout=20))


def login_header() -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(':'.join(LOGIN).encode()).decode()}"}


def websocket(port: int, headers: dict[str, str]) -> ClientConnection:
    return connect(
        f"wss://{HOST}/graphql",
        sock=socket.create_connection(("127.0.0.1", port)),
        ssl=context(),
        additional_headers=headers,
        subprotocols=[Subprotocol("graphql-ws")],
        proxy=None,
    )
