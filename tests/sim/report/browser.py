"""A page as a browser shows it, on a desktop and on a phone."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs chromium")

SCREENS = {"desktop": (1400, 900), "phone": (390, 844)}
"""Width and height in pixels."""

LEAST_TEXT = 10
"""Pixels; smaller text of a picture is not read on a phone."""

_SMALL = """least => {
  const small = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, holder = text.parentElement;
    if (!text.data.trim() || !holder.getClientRects().length) continue;
    if (["STYLE", "SCRIPT"].includes(holder.tagName)) continue;
    const svg = holder.closest("svg");
    // A picture is scaled to its column.
    const scale = svg && svg.viewBox.baseVal && svg.viewBox.baseVal.width
      ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    const size = parseFloat(getComputedStyle(holder).fontSize) * scale;
    if (size < least) small.push(`${text.data.trim()}: ${size}`);
  }
  return small;
}"""

_OUTSIDE = """() => [...document.querySelectorAll("figure svg text")].filter(text => {
  const at = text.getBoundingClientRect(), svg = text.closest("svg").getBoundingClientRect();
  return at.width && (at.left < svg.left - 1 || at.right > svg.right + 1
    || at.top < svg.top - 1 || at.bottom > svg.bottom + 1);
}).map(text => text.textContent)"""

_OVERLAPS = """() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
  const texts = [...svg.querySelectorAll("text")].map(text => [text, text.getBoundingClientRect()])
    .filter(([, at]) => at.width);
  const clashes = [];
  texts.forEach(([one, a], k) => texts.slice(k + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    // Boxes of lines are higher than their letters.
    if (wide > 1 && high > 4) clashes.push(`${one.textContent} / ${other.textContent}`);
  }));
  return clashes;
})"""


@contextlib.contextmanager
def opened(browser, path: Path, screen: str) -> Iterator:
    """The page on a screen, one of :data:`SCREENS`; no error of it is overlooked."""
    width, height = SCREENS[screen]
    view = browser.new_page(viewport={"width": width, "height": height})
    errors: list[str] = []
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.goto(path.as_uri())
    yield view
    view.close()
    assert errors == []


def require_fits(view) -> None:
    """Nothing scrolls sideways but boxes of their own, and all text can be read."""
    across = view.evaluate("document.documentElement.scrollWidth")
    assert across <= view.viewport_size["width"]
    assert view.evaluate(_SMALL, LEAST_TEXT) == []
    assert view.evaluate(_OUTSIDE) == []
    assert view.evaluate(_OVERLAPS) == []


def require_whole_tables(view) -> None:
    """No table has columns that are seen by scrolling only."""
    hidden = """() => [...document.querySelectorAll(".wide-table")].filter(
      box => box.scrollWidth > box.clientWidth).map(box => box.innerText.split("\\n")[0])"""
    assert view.evaluate(hidden) == []


def require_on_first_screen(view, *selectors: str) -> None:
    """The first that each selects and that is shown is whole on the first screen."""
    for selector in selectors:
        box = view.locator(selector).locator("visible=true").first.bounding_box()
        assert box["y"] >= 0, selector
        assert box["y"] + box["height"] <= view.viewport_size["height"], selector
        assert box["width"] > 0, selector
