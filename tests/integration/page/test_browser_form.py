"""The form of the filters in a browser, and the page in French."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from page.findings import FINDINGS
from tests.integration.page.visiting import Sample, Visitor

pytestmark = pytest.mark.slow


def test_the_form_sets_every_filter_and_the_address_stays_short(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.locator("#from").fill("2026-11-01")
    page.locator("#to").fill("2026-11-20")
    page.locator("#frequency").select_option("week")
    page.locator("#compared_with").select_option("month")
    page.locator("#contact").fill("ana")
    page.locator("details.choices summary").nth(2).click()
    page.get_by_label("Zapier").check()
    page.locator("details[open]").get_by_role("button", name="Apply").click()
    query = parse_qsl(urlsplit(page.url).query)
    assert query == [
        ("from", "2026-11-01"),
        ("to", "2026-11-20"),
        ("frequency", "week"),
        ("source", "zapier"),
        ("contact_name", "ana"),
        ("compared_with", "month"),
    ]
    page.get_by_role("link", name="Remove filter Source: Zapier").click()
    assert "source" not in page.url
    page.locator("#contact").fill("953950029, 953950027")
    page.get_by_role("button", name="Apply").click()
    assert [value for name, value in parse_qsl(urlsplit(page.url).query) if name.startswith("contact")] == [
        "953950029",
        "953950027",
    ]
    page.get_by_role("link", name="Clear all").click()
    assert urlsplit(page.url).query == ""


def test_a_deleted_channel_is_counted_and_not_offered(visitor: Visitor, published: Sample) -> None:
    deleted = published.rows("select workspace_id, channel_id from reports.channels where is_deleted limit 1")[0]
    page = visitor.open(f"/?workspace={deleted['workspace_id']}")
    offered = page.locator("input[name=channel]").evaluate_all("inputs => inputs.map(input => input.value)")
    known = published.rows(
        "select channel_id from reports.channels where workspace_id = ? and not is_deleted", [deleted["workspace_id"]]
    )
    assert deleted["channel_id"] not in offered
    assert {row["channel_id"] for row in known} <= set(offered)
    assert "Deleted channels, counted but not listed: " in (page.locator("details.choices").first.text_content() or "")


def test_the_page_speaks_french(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=lumiere")
    page.get_by_role("link", name="Français").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("h2").all_inner_texts()[:3] == ["Aperçu des contacts", "Contacts ajoutés", "Contacts connectés"]
    page.locator("#added_log .more a").click()
    assert page.locator("h1").inner_text() == "Journal des contacts ajoutés"
    assert "Horodatage" in page.locator("table.log thead").inner_text()


def test_wrong_values_leave_the_form_as_it_was_filled_in_with_what_is_wrong_beside_them(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=tui&lang=fr&theme=dark")
    page.locator("#from").fill("2026-11-20")
    page.locator("#to").fill("2026-11-01")
    page.locator("#frequency").select_option("week")
    page.locator("#contact").fill("0")
    with page.expect_response(lambda answer: answer.status == 422):
        page.locator("#contact").press("Enter")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert "Tui" in page.locator(".top .menu").first.inner_text()
    shown = {name: page.locator(f"#{name}").input_value() for name in ("from", "to", "frequency", "contact")}
    assert shown == {"from": "2026-11-20", "to": "2026-11-01", "frequency": "week", "contact": "0"}
    assert "est après le dernier jour" in page.locator("#problem-from").inner_text()
    assert "n'est pas l'identifiant d'un contact" in page.locator("#problem-contact").inner_text()
    assert page.locator("[aria-invalid]").evaluate_all("all => all.map(one => one.id)") == ["from", "contact"]
    # Chromium says of each answer above 399 that a resource did not load.
    assert [said for said in visitor.complaints if "422" not in said] == []
    visitor.complaints.clear()

    page.locator("#to").fill("2026-11-22")
    page.locator("#contact").fill("maria")
    page.locator("#contact").press("Enter")
    page.wait_for_url("**contact_name=maria**")
    query = dict(parse_qsl(urlsplit(page.url).query))
    assert query == {
        "workspace": "tui",
        "from": "2026-11-20",
        "to": "2026-11-22",
        "frequency": "week",
        "contact_name": "maria",
        "lang": "fr",
        "theme": "dark",
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/?workspace=tui&frequency=hour&lang=fr", "'hour' n'est pas connu"),
        ("/?workspace=nowhere&lang=fr", "'nowhere' n'est pas connu"),
        ("/logs/added?workspace=tui&page=x&lang=fr", "'x' n'est pas un nombre de 1 à"),
        ("/logs/nothing?workspace=tui&lang=fr", "'nothing' n'est pas un journal"),
        ("/?workspace=tui&lang=fr&hour=3", "n'est pas un paramètre ici"),
    ],
)
def test_a_wrong_address_is_explained_on_a_page_of_the_workspace(visitor: Visitor, path: str, words: str) -> None:
    answer = visitor.page.goto(visitor.address + path)
    assert answer is not None and answer.status == 422
    assert words in visitor.page.locator(".problems").inner_text()
    assert ("Tui" in visitor.page.locator(".top .menu").first.inner_text()) is ("tui" in path)
    assert visitor.page.get_by_role("link", name="English").count() == 1
    visitor.complaints.clear()


def test_the_language_changes_on_every_page_without_leaving_it(visitor: Visitor) -> None:
    page = visitor.open("/logs/added?workspace=aurora&date_range=last_30_days&page=2")
    rows = page.locator(".pagination").first.inner_text().split(" of ")[0]
    page.get_by_role("link", name="Français").click()
    assert page.locator(".pagination").first.inner_text().startswith(rows.split("–")[0])
    page.locator("table.log tbody tr a").first.click()
    name = page.locator("h1").inner_text().split(": ")[1]
    page.get_by_role("link", name="English").click()
    assert page.locator("h1").inner_text() == f"Contact added: {name}"


def test_columns_and_labels_are_french_on_the_pages_of_the_data_and_of_an_event(visitor: Visitor) -> None:
    for view in FINDINGS:
        page = visitor.open(f"/quality/{view}?workspace=bergwerk&lang=fr")
        columns = page.locator("thead th").all_inner_texts()
        assert not [column for column in columns if re.fullmatch("[a-z_]+", column)], columns
    page = visitor.open("/quality/superseded_events?workspace=bergwerk&lang=fr")
    text = page.locator("table.log tbody").inner_text()
    assert "Contact ajouté" in text or "Contact connecté" in text
    assert "le même événement, envoyé à nouveau" in text
    assert "Message entrant" in text and "Incoming Message" not in text
    visitor.open("/logs/connected?workspace=bergwerk&lang=fr")
    page.locator("table.log tbody tr a").first.click()
    columns = page.locator("thead th, dt").all_inner_texts()
    assert "Fichier" in columns and not [column for column in columns if re.fullmatch("[a-z_]+", column)]
