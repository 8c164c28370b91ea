"""What is wrong is said as a page or as JSON, with the headers of every answer; files and log."""

import html
import json
import logging
import threading
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from orchestration.lib.serving.connections import HEAD_BYTES
from page.access import HEADERS, Access, Turns, answer_to_long_head
from page.app import application
from page.assets import static_address
from page.publication import NotPublished, Publication, TooSlow
from tests.unit.page.in_process import (
    DETAIL,
    ROUTES,
    Client,
    access_with,
    app_of,
    basic,
    publish,
)

# Errors and headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/health", {}, 200),
        ("/static/page.css", {}, 200),
        ("/static/page.css", {"If-None-Match": "*"}, 304),
        ("/", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/nothing", {}, 404),
        ("/static/nothing.css", {}, 404),
        ("/", {"Host": "attacker.example"}, 421),
        ("/RuntimeError", {}, 500),
        ("/api/Refused", {}, 422),
        ("/TooSlow", {}, 504),
        ("/CatalogException", {}, 503),
        ("/own", {}, 200),
    ],
)
def test_every_answer_has_the_headers(local: Client, path: str, headers: dict[str, str], status: int) -> None:
    answer = local.get(path, headers=headers)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == ("no-store" if path == "/own" else "private, no-cache")


def test_the_answers_to_those_without_a_password_have_the_headers_too(tmp_path: Path) -> None:
    app = app_of(tmp_path, access_with(turns=Turns(seconds=1, waiting=0)))
    with Client(app) as client:
        answers = [client.get("/"), *(client.get("/", headers={"Authorization": "Bearer wrong"}) for _ in range(2))]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    for answer in answers:
        assert HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items() | {
            (name, answer.headers[name]) for name in HEADERS
        }


def test_an_error_is_a_page_for_people_and_json_for_programs(local: Client) -> None:
    page = local.get("/nothing")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f'href="{static_address("page.css").replace("&", "&amp;")}"' in page.text
    for path in ("/api", "/api/", "/api/v1/nothing"):
        assert local.get(path).json() == {
            "error": {"parameter": None, "message": "There is no such page", "allowed": None}
        }
    assert local.get("/apinothing").headers["Content-Type"] == "text/html; charset=utf-8"


def test_what_is_refused_says_which_parameter_and_what_is_possible(local: Client, tmp_path: Path) -> None:
    answer = local.get("/api/Refused")
    assert answer.status_code == 422
    assert answer.json() == {
        "error": {"parameter": "work<b>", "message": "'<script>' is not known", "allowed": ["acme", "globex"]}
    }
    [route] = [route for route in ROUTES if route.path == "/api/Refused"]
    publication = Publication(tmp_path / "none", tmp_path)
    with Client(application([Route("/page", route.endpoint)], publication, Access(None, None))) as client:
        page = client.get("/page").text
    for shown in ("work&lt;b&gt;", "&lt;script&gt;", "is not known", "acme", "globex"):
        assert shown in page
    assert "<script" not in page


def test_after_an_upgrade_it_asks_for_a_run(local: Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = local.get("/CatalogException")
    assert "of another version than this page. Call make run" in answer.text
    assert "report_filters" not in answer.text
    assert "report_filters" in caplog.text


def test_a_defect_is_in_the_log_and_not_in_the_answer(local: Client) -> None:
    answer = local.get("/RuntimeError")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert DETAIL not in answer.text and "RuntimeError" not in answer.text and "Traceback" not in answer.text


def test_before_the_first_publication_it_says_so_and_shows_the_page_as_soon_as_there_is_one(tmp_path: Path) -> None:
    published = tmp_path / "published" / "file.duckdb"
    publication = Publication(published, tmp_path)

    def report(request: Request) -> Response:
        with publication.reading(5) as reader:
            return PlainTextResponse(str(reader.rows("select 42 as answer")[0]["answer"]))

    routes = [Route("/", report), Route("/api/v1/status", report)]
    with Client(application(routes, publication, Access(None, None))) as client:
        for path in ("/", "/api/v1/status"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "10"
            assert "Nothing is published yet. Call make run" in answer.text
            assert str(tmp_path) not in answer.text
        health = client.get("/health")
        assert (health.status_code, health.json()) == (503, {"ok": False, "as_of": None})
        publish(published)
        assert client.get("/").text == "42"
        assert client.get("/health").json() == {"ok": True, "as_of": "2026-01-01T10:00:00Z"}


def test_a_publication_that_cannot_be_read_is_named_in_the_log_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "file.duckdb").write_bytes(b"no database" * 1000)
    with Client(app_of(tmp_path, Access(None, None))) as client:
        assert client.get("/health").status_code == 503
    (message,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert message.startswith(f"Nothing can be shown: {tmp_path}")


def test_at_most_four_threads_read(local: Client) -> None:
    assert local.get("/threads").text == "4"


def test_a_query_that_runs_when_the_page_ends_is_ended(tmp_path: Path) -> None:
    publish(tmp_path / "published" / "file.duckdb")
    publication = Publication(tmp_path / "published" / "file.duckdb", tmp_path)
    ended: list[Exception] = []
    running = threading.Event()

    def read_for_ever() -> None:
        try:
            with publication.reading(600) as reader:
                running.set()
                reader.rows("select count(*) from range(1_000_000) a, range(1_000_000) b, range(1_000_000) c")
        except (TooSlow, NotPublished) as error:
            ended.append(error)

    thread = threading.Thread(target=read_for_ever, daemon=True)
    with publication:
        thread.start()
        assert running.wait(10)
        time.sleep(0.2)
    thread.join(5)
    assert [type(error) for error in ended] == [TooSlow]
    with pytest.raises(TooSlow), publication.reading(600):
        pass


# Files


def test_a_file_is_kept_by_browsers_under_the_address_with_its_fingerprint_only(local: Client) -> None:
    address = static_address("page.css")
    assert address.startswith("/static/page.css?v=")
    kept = local.get(address)
    assert kept.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert kept.headers["Content-Type"] == "text/css; charset=utf-8"
    for other in ("/static/page.css", "/static/page.css?v=0", f"{address}&v=0", f"{address}x"):
        answer = local.get(other)
        assert answer.text == kept.text
        assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path", ["/static/", "/static", "/static/../access.py", "/static/%2e%2e/access.py", "/static/%00"]
)
def test_nothing_but_these_files_is_given(local: Client, path: str) -> None:
    answer = local.get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


# The log


def test_the_log_has_method_path_status_and_duration_and_no_name(
    local: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="page.access")
    local.get("/?contact_name=Ada", headers={"Authorization": basic("Ada")})
    local.get("/%0Aforged%1b%5B2J\u202e")
    local.post("/")
    lines = caplog.messages
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "GET / 200",
        "GET /%0Aforged%1B%5B2J%E2%80%AE 404",
        "POST / 405",
    ]
    assert all(line.endswith(" ms") and line.split()[-2].isdigit() for line in lines)
    assert "Ada" not in json.dumps(lines)


def test_an_error_page_keeps_the_language_the_theme_and_the_workspace(local: Client) -> None:
    page = local.get("/TooSlow?lang=fr&theme=dark&workspace=a%26b&from=2026-01-01").text
    assert '<html lang="fr" data-theme="dark">' in page
    assert "C&#39;est trop long" in page
    assert 'href="/?lang=fr&amp;theme=dark&amp;workspace=a%26b"' in page
    assert '<html lang="en">' in local.get("/TooSlow?lang=xx&theme=red").text


FRENCH = {
    "/nothing": (404, "Cette page n'existe pas"),
    "/TooSlow": (504, "La réponse prend trop de temps. Demandez moins de jours, ou moins de valeurs d'un filtre"),
    "/CatalogException": (503, "Le fichier publié est d'une autre version que cette page."),
    "/RuntimeError": (500, "Une erreur s'est produite ici."),
}


@pytest.mark.parametrize("path", FRENCH)
def test_an_error_page_speaks_the_language_of_the_address(local: Client, path: str) -> None:
    answer = local.get(f"{path}?lang=fr")
    status, words = FRENCH[path]
    assert answer.status_code == status
    assert html.unescape(answer.text).count(words)
    assert local.get(path).status_code == status
    assert words not in html.unescape(local.get(path).text)


def test_without_access_the_answer_speaks_the_language_of_the_address(local: Client, guarded: Client) -> None:
    assert "Un mot de passe est nécessaire" in guarded.get("/?lang=fr").text
    assert "Seuls GET et HEAD sont possibles" in local.post("/?lang=fr").text
    assert "Sans mot de passe" in local.get("/?lang=fr", headers={"Host": "attacker.example"}).text
    assert "trop longue" in answer_to_long_head(b"GET /?lang=fr&x=" + b"x" * HEAD_BYTES).decode()


def test_programs_are_told_in_english(local: Client) -> None:
    assert local.get("/api/v1/nothing?lang=fr").json()["error"]["message"] == "There is no such page"
