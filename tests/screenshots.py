"""Takes the pictures of the docs: `python -m tests.screenshots ADDRESS`, where a report page is served.

Of docs/digest.md: `python -m tests.screenshots digest.html`, what `digest --print html` wrote.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs"
DESKTOP = ViewportSize(width=1180, height=1120)
PHONE = ViewportSize(width=390, height=844)
MAIL = ViewportSize(width=680, height=620)


def take(address: str) -> None:
    """Write the pictures of the page at an address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, viewport, scheme in (
            ("report-page", DESKTOP, "light"),
            ("report-page-dark", DESKTOP, "dark"),
            ("report-page-phone", PHONE, "light"),
        ):
            page = browser.new_page(viewport=viewport)
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.goto(address)
            page.screenshot(path=FOLDER / f"{name}.png")
        page = browser.new_page(viewport=ViewportSize(width=794, height=1123), bypass_csp=True)
        page.emulate_media(media="print")
        page.goto(address)
        page.add_style_tag(content="body { padding: 40px }")
        page.screenshot(path=FOLDER / "report-page-print.png")
        browser.close()


def take_digest(page_of_mail: Path) -> None:
    """Write the pictures of the mail of a digest."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, dark in (("digest", False), ("digest-dark", True)):
            page = browser.new_page(viewport=MAIL)
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.goto(page_of_mail.resolve().as_uri())
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    if sys.argv[1].endswith(".html"):
        take_digest(Path(sys.argv[1]))
    else:
        take(sys.argv[1])
