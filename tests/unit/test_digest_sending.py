"""A digest reaches everybody once, through servers that refuse, fail, wait and go; and no secret is said."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestration.lib import posting
from orchestration.lib.posting import NotSent
from orchestration.lib.problems import Problem
from orchestration.lib.secrets import read_secrets, without_secrets
from orchestration.lib.settings import read_settings
from publications.digest import mail
from publications.digest.channels import Channel
from publications.digest.mail import Mail
from publications.digest.sending import channels, send
from publications.digest.slack import Slack
from tests.digests import digest, workspace
from tests.mail_sink import Sink, certificate, mail_sink
from tests.slack import TOKEN, slack_here
from tests.slack import Slack as SlackServer

SENDER = "reports@example.com"
PASSWORD = "p@ss/w:rd%9f3a"  # pragma: allowlist secret
# As it is in an address.
QUOTED = "p%40ss%2Fw%3Ard%259f3a"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_sink() as sink:
        yield sink


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_here() as server:
        yield server


@dataclass
class Letters:
    """Sends, and keeps what went wrong."""

    data: Path
    problems: list[Problem] = field(default_factory=list)

    def send(self, *to: Channel, again: bool = False, end: date = date(2026, 11, 29)) -> list[str]:
        try:
            return send(self.data, to, digest(workspace(end=end)), again=again)
        except Problem as problem:
            self.problems.append(problem)
            return []

    @property
    def problem(self) -> Problem:
        [problem] = self.problems
        return problem


@pytest.fixture
def letters(tmp_path: Path) -> Letters:
    return Letters(tmp_path)


def plain(sink: Sink, *addresses: str) -> Mail:
    return Mail(SecretStr(f"smtp+plain://127.0.0.1:{sink.port}"), SENDER, addresses or ("a@example.com",))


def with_login(sink: Sink, scheme: str = "smtp", password: str = QUOTED) -> Mail:
    address = f"{scheme}://us%40er:{password}@localhost:{sink.port}"
    return Mail(SecretStr(address), SENDER, ["a@example.com"])


def test_a_mail_has_text_and_html_and_says_that_no_person_wrote_it(sink: Sink, letters: Letters) -> None:
    assert letters.send(plain(sink, "a@example.com", "b@example.com")) == [
        "mail to a@example.com",
        "mail to b@example.com",
    ]
    [(recipients, raw)] = sink.taken
    assert recipients == ["a@example.com", "b@example.com"]
    assert raw.isascii()
    message = sink.message()
    assert message["Subject"] == "Contacts: week of 23 – 29 Nov 2026"
    assert message["From"] == "contact-reports <reports@example.com>"
    assert message["To"] == "a@example.com, b@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, html = (part.get_content() for part in message.iter_parts())
    assert "  Added          1,234      +12     +1.0%" in text
    assert "<b>1,234</b>" in html


def test_what_was_sent_is_not_sent_again_and_the_next_period_is(
    sink: Sink, slack: SlackServer, letters: Letters
) -> None:
    to: list[Channel] = [plain(sink), Slack([SecretStr(slack.address)])]
    assert len(letters.send(*to)) == 2
    assert letters.send(*to) == []
    assert letters.send(*to, end=date(2026, 11, 22)) == [], "the clock was put back"
    assert (len(sink.taken), len(slack.texts)) == (1, 1)
    assert len(letters.send(*to, end=date(2026, 12, 6))) == 2
    assert (len(sink.taken), len(slack.texts)) == (2, 2)
    assert len(letters.send(*to, again=True)) == 2
    assert letters.problems == []


def test_a_workspace_whose_period_ends_later_is_sent_alone(sink: Sink, tmp_path: Path) -> None:
    east, west = workspace("east", "East"), workspace("west", "West", date(2026, 11, 22))
    send(tmp_path, [plain(sink)], digest(east, west))
    send(tmp_path, [plain(sink)], digest(east, workspace("west", "West")))
    text = sink.message().get_body(("plain",))
    assert text is not None
    assert "West" in text.get_content() and "East" not in text.get_content()


def test_a_recipient_who_was_added_gets_it_and_the_others_do_not_get_it_again(sink: Sink, letters: Letters) -> None:
    letters.send(plain(sink, "a@example.com"))
    letters.send(plain(sink, "a@example.com", "b@example.com"))
    assert [recipients for recipients, _ in sink.taken] == [["a@example.com"], ["b@example.com"]]


def test_one_refused_recipient_keeps_it_from_no_other_one(sink: Sink, letters: Letters) -> None:
    sink.refused = {"b@example.com": "550 5.1.1 No such user\x1b[31m"}
    to = plain(sink, "a@example.com", "b@example.com", "c@example.com")
    letters.send(to)
    assert [recipients for recipients, _ in sink.taken] == [["a@example.com", "c@example.com"]]
    assert "1 of 3 recipients: mail to b@example.com: the mail server refused the address: 550 5.1.1" in str(
        letters.problem
    )
    assert not letters.problem.is_transient
    sink.refused = {}
    assert letters.send(to) == ["mail to b@example.com"]


def test_when_all_are_refused_for_now_it_may_be_tried_again(sink: Sink, letters: Letters) -> None:
    sink.refused = {"a@example.com": "450 4.2.1 Greylisted"}
    letters.send(plain(sink))
    assert letters.problem.is_transient
    sink.refused = {}
    assert letters.send(plain(sink)) == ["mail to a@example.com"]


def test_a_server_that_is_down_is_tried_again_and_slack_has_it_meanwhile(slack: SlackServer, letters: Letters) -> None:
    with mail_sink() as sink:
        to: list[Channel] = [plain(sink), Slack([SecretStr(slack.address)])]
    letters.send(*to)
    assert "mail to a@example.com: the mail server cannot be reached (Connection refused)" in str(letters.problem)
    assert letters.problem.is_transient
    letters.send(*to)
    assert len(slack.texts) == 1


@pytest.mark.parametrize(("status", "is_transient"), [(503, True), (429, True), (404, False), (302, False)])
def test_an_address_that_does_not_take_it_is_called_by_its_number(
    slack: SlackServer, letters: Letters, status: int, is_transient: bool
) -> None:
    slack.status = status
    letters.send(Slack([SecretStr(slack.address)]))
    assert f"address 1 of CONTACT_REPORTS_DIGEST_URL: status {status}" in str(letters.problem)
    assert letters.problem.is_transient == is_transient


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        (f"http://127.0.0.1:1/{TOKEN}", "connection refused"),
        (f"http://nowhere.invalid/{TOKEN}", "the host is not known"),
    ],
)
def test_why_an_address_cannot_be_reached_is_said_without_it(letters: Letters, address: str, cause: str) -> None:
    letters.send(Slack([SecretStr(address)]))
    assert f"address 1 of CONTACT_REPORTS_DIGEST_URL: {cause}." in str(letters.problem)
    assert letters.problem.is_transient
    assert TOKEN not in str(letters.problem) and "Error" not in str(letters.problem)


def test_what_is_said_of_tls_and_of_a_connection_that_ends_has_no_class_of_a_library(
    sink: Sink, letters: Letters
) -> None:
    # A mail server greets, and speaks neither TLS nor HTTP.
    letters.send(Slack([SecretStr(f"{scheme}://127.0.0.1:{sink.port}/{TOKEN}") for scheme in ("https", "http")]))
    assert "URL: no TLS; address 2 of CONTACT_REPORTS_DIGEST_URL: the connection ended" in str(letters.problem)


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_the_cure_repeats_the_period(letters: Letters, period: str) -> None:
    found = replace(digest(workspace()), period=period)
    with pytest.raises(Problem, match=f"run `make digest PERIOD={period}`: it sends to those alone"):
        send(letters.data, [Slack([SecretStr("http://127.0.0.1:1/")])], found)


def test_servers_that_do_not_answer_are_given_up_for_now(
    sink: Sink, slack: SlackServer, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SMTP_SECONDS", 0.2)
    monkeypatch.setattr(posting, "POST_SECONDS", 0.2)
    sink.pause = slack.pause = 1
    letters.send(plain(sink), Slack([SecretStr(slack.address)]))
    assert "did not answer in time" in str(letters.problem)
    assert "address 1 of CONTACT_REPORTS_DIGEST_URL: no answer within 0.2 seconds" in str(letters.problem)
    assert letters.problem.is_transient


def test_a_mail_that_was_taken_without_an_answer_is_sent_again_under_the_same_id(sink: Sink, letters: Letters) -> None:
    sink.ends_after_data = True
    letters.send(plain(sink))
    assert letters.problem.is_transient
    sink.ends_after_data = False
    letters.send(plain(sink))
    letters.send(plain(sink))
    assert len(sink.taken) == 2
    assert sink.message(0)["Message-ID"] == sink.message(1)["Message-ID"]


def test_a_server_that_fails_after_it_took_the_mail_has_taken_it(sink: Sink, letters: Letters) -> None:
    sink.answers = {"QUIT": "451 4.3.0 trouble"}
    assert letters.send(plain(sink)) == ["mail to a@example.com"]


@pytest.mark.parametrize(
    ("answers", "reason", "is_transient"),
    [
        ({"MAIL": "553 5.7.1 not yours"}, "refused the sender: 553 5.7.1 not yours", False),
        ({"DATA": "554 5.6.0 too long"}, "refused the message: 554 5.6.0 too long", False),
        ({"MAIL": "452 4.3.1 full"}, "refused the sender: 452 4.3.1 full", True),
    ],
)
def test_what_a_mail_server_refuses_is_said(
    sink: Sink, letters: Letters, answers: dict[str, str], reason: str, is_transient: bool
) -> None:
    sink.answers = answers
    letters.send(plain(sink))
    assert reason in str(letters.problem)
    assert letters.problem.is_transient == is_transient


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_user_and_password_go_through_tls_alone(
    sink: Sink, letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    sink.tls, trusted = certificate(tmp_path)
    sink.from_the_start = scheme == "smtps"
    sink.users = {"us@er": PASSWORD}
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert letters.send(with_login(sink, scheme)) == ["mail to a@example.com"]
    assert {"TLS AUTH", "TLS MAIL", "TLS RCPT", "TLS DATA"} <= set(sink.heard)
    assert {line for line in sink.heard if line.startswith("clear ")} <= {"clear EHLO", "clear STARTTLS"}


def test_a_wrong_password_is_said_without_it_and_not_tried_again(
    sink: Sink, letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.tls, trusted = certificate(tmp_path)
    sink.users = {"us@er": "another one"}
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    letters.send(with_login(sink))
    assert "the mail server refused the user and the password (535)" in str(letters.problem)
    assert not letters.problem.is_transient
    assert "us@er" not in str(letters.problem)


def test_without_starttls_nothing_is_sent(sink: Sink, letters: Letters) -> None:
    sink.users = {"us@er": PASSWORD}
    letters.send(with_login(sink))
    assert "STARTTLS extension not supported by server" in str(letters.problem)
    assert not letters.problem.is_transient
    assert set(sink.heard) == {"clear EHLO"}


@pytest.mark.parametrize(("name", "is_trusted"), [("localhost", False), ("other.example", True)])
def test_a_certificate_that_is_not_the_servers_ends_it(
    sink: Sink, letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_trusted: bool
) -> None:
    sink.tls, trusted = certificate(tmp_path, name)
    sink.users = {"us@er": PASSWORD}
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    letters.send(with_login(sink))
    assert "the certificate of the mail server is not valid" in str(letters.problem)
    assert set(sink.heard) == {"clear EHLO", "clear STARTTLS"}


def test_tls_with_a_server_that_speaks_none_is_no_tls(sink: Sink, letters: Letters) -> None:
    letters.send(with_login(sink, "smtps"))
    assert "no TLS with the mail server" in str(letters.problem)


@pytest.mark.parametrize("status", [200, 404])
def test_no_secret_is_in_a_log_a_note_a_message_or_a_child_process(
    sink: Sink,
    slack: SlackServer,
    letters: Letters,
    status: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.status = status
    sink.tls, trusted = certificate(tmp_path)
    sink.users = {"us@er": PASSWORD if status == 200 else "x"}
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("CONTACT_REPORTS_DIGEST_URL", f"{slack.address} {slack.address}/2")
    monkeypatch.setenv("CONTACT_REPORTS_DIGEST_SMTP", f"smtp://us%40er:{QUOTED}@localhost:{sink.port}")
    monkeypatch.setenv("CONTACT_REPORTS_DIGEST_FROM", SENDER)
    monkeypatch.setenv("CONTACT_REPORTS_DIGEST_TO", "a@example.com, b@example.com")
    sent = letters.send(*channels(read_settings(), read_secrets()))
    assert len(sent) == (4 if status == 200 else 0)
    said = capfd.readouterr()
    kept = [said.out, said.err, caplog.text, str(letters.problems), (letters.data / "digests.json").read_text()]
    kept += [*slack.texts, *(raw.decode() for _, raw in sink.taken)]
    for text in kept:
        for secret in (TOKEN, PASSWORD, QUOTED):
            assert secret not in text
    assert "a@example.com" not in kept[4]
    assert without_secrets().keys().isdisjoint({"CONTACT_REPORTS_DIGEST_URL", "CONTACT_REPORTS_DIGEST_SMTP"})


@pytest.mark.parametrize(
    "address",
    [
        f"smtp+plain://user:{QUOTED}@localhost",  # pragma: allowlist secret
        f"http://user:{QUOTED}@localhost",  # pragma: allowlist secret
        f"smtp://user:{PASSWORD}@localhost",  # pragma: allowlist secret
        f"smtps://user:{QUOTED}é@localhost",  # pragma: allowlist secret
        f"smtps://user:{QUOTED}%C3%A9@localhost",  # pragma: allowlist secret
        f"smtps://user:{QUOTED}@localhost:99999",
        f"smtps://user:{QUOTED}@local\nhost",
    ],
)
def test_an_address_of_a_mail_server_that_is_none_is_refused_unseen(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_DIGEST_SMTP", address)
    with pytest.raises(Problem, match="CONTACT_REPORTS_DIGEST_SMTP cannot be read") as refused:
        read_secrets()
    assert "9f3a" not in str(refused.value)


@pytest.mark.parametrize("variable", ["CONTACT_REPORTS_DIGEST_FROM", "CONTACT_REPORTS_DIGEST_TO"])
@pytest.mark.parametrize("value", ["a@b.c\r\nBcc: d@e.f", "A <a@b.c>", "a", "é@b.c", "a@b.c;d@e.f"])
def test_a_mail_address_that_could_add_a_header_is_refused(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Problem, match=variable):
        read_settings()


def test_a_channel_of_which_a_part_is_missing_and_none_at_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem, match="nowhere to go"):
        channels(read_settings(), read_secrets())
    monkeypatch.setenv("CONTACT_REPORTS_DIGEST_SMTP", "smtps://localhost")
    with pytest.raises(Problem, match="CONTACT_REPORTS_DIGEST_TO"):
        channels(read_settings(), read_secrets())


def test_two_that_send_at_once_send_once(sink: Sink, letters: Letters) -> None:
    sink.pause = 0.2
    both = [threading.Thread(target=letters.send, args=[plain(sink)]) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert (len(sink.taken), letters.problems) == (1, [])


def test_notes_that_are_lost_or_damaged_cost_one_more_digest(sink: Sink, letters: Letters) -> None:
    letters.send(plain(sink))
    for damaged in ("", "[1]", '{"a": {"week": {"acme": "yesterday"}}}'):
        (letters.data / "digests.json").write_text(damaged)
        letters.send(plain(sink))
        letters.send(plain(sink))
    assert len(sink.taken) == 4
    assert json.loads((letters.data / "digests.json").read_text())


def test_nothing_is_sent_where_it_cannot_be_noted(sink: Sink, letters: Letters) -> None:
    (letters.data / "digests.json.tmp").mkdir()
    with pytest.raises(OSError):
        letters.send(plain(sink))
    assert sink.taken == []


def test_a_process_that_is_killed_between_two_recipients_goes_on_with_the_second(
    slack: SlackServer, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [SecretStr(f"{slack.address}/{number}") for number in range(3)]
    killed = KeyboardInterrupt()

    def post(address: SecretStr, text: str) -> NotSent | None:
        if address == addresses[1]:
            raise killed
        return posting.post(address, text)

    with monkeypatch.context() as patch:
        patch.setattr("publications.digest.slack.post", post)
        with pytest.raises(KeyboardInterrupt):
            letters.send(Slack(addresses))
    assert letters.send(Slack(addresses)) == [f"address {number} of CONTACT_REPORTS_DIGEST_URL" for number in (2, 3)]
    assert len(slack.texts) == 3


def test_a_name_with_lines_of_its_own_ends_no_header_and_no_message(sink: Sink, tmp_path: Path) -> None:
    name = "A\r\nBcc: v@example.com\r\n.\r\nMAIL FROM:<v@example.com>"
    send(tmp_path, [plain(sink)], digest(workspace("a\r\nb", name)))
    assert len(sink.taken) == 1
    assert sink.message()["Bcc"] is None
    assert sink.message()["To"] == "a@example.com"
