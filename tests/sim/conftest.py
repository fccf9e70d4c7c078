"""A browser for all pages of a module."""

from collections.abc import Iterator

import pytest

from tests.sim.report.browser import BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """One that a module's tests share: starting it takes longer than a page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()
