"""What README and the pages of docs/ point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r'\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"')
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links(page: Path) -> list[str]:
    """Targets of a page's links and pictures that are no addresses of the web."""
    text = _CODE.sub("", _BLOCK.sub("", page.read_text(encoding="utf-8")))
    found = [a or b for a, b in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """Names of a page's headings in links."""
    headings = _HEADING.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_point_at_something(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        assert target.is_relative_to(ROOT), f"{page.name} links to {link}, outside the repository"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}, which has no heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_files_are_called_as_the_files(page: Path) -> None:
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    for name, target in re.findall(r"\[`([\w/]+\.(?:py|toml|v|dot))`\]\(([^)#]+)", text):
        assert target.endswith(name), f"{page.name} calls {target} {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_modules_that_are_named_are_there(page: Path) -> None:
    for name in re.findall(r"\bmcos_(?:hw|policy|sim)(?:\.\w+)+", page.read_text(encoding="utf-8")):
        path = ROOT / name.split(".")[0].removeprefix("mcos_") / name.replace(".", "/")
        module, inside = (path, "") if path.exists() else (path.parent, path.name)
        files = [module / "__init__.py", module.with_suffix(".py"), path.with_suffix(".py")]
        text = "".join(file.read_text(encoding="utf-8") for file in files if file.exists())
        found = path.exists() or path.with_suffix(".py").exists() or inside in text
        assert found, f"{page.name} names {name}, which is not there"


def test_pages_that_code_names_are_there() -> None:
    named = {
        name
        for package in ("hw", "policy", "sim", "tests")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"\bdocs/[\w-]+\.(?:md|svg)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert {page for page in PAGES if page.parent == index.parent} - linked == {index}


def test_readme_is_short_below_its_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split("</picture>")[1].strip().splitlines()) <= 60
