"""The report page as people meet it: a process of its own that serves the published sample, and a browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.harness import Pipeline
from tests.integration.page.serving import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def address(sample: Pipeline) -> Iterator[str]:
    """The address of the report page on the sample."""
    with served(sample.settings.data) as address:
        yield address


# Playwright's event loop runs as long as it is open. Tests of other modules have loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser. Tests that need one are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("The tests of the report page in a browser need Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Root may not use the sandbox, and CI is root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
