"""Takes the pictures of docs/report-page.md: `python -m tests.screenshots ADDRESS`, where a report page is served."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs"
DESKTOP = ViewportSize(width=1180, height=1120)
PHONE = ViewportSize(width=390, height=844)


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


if __name__ == "__main__":
    take(sys.argv[1])
