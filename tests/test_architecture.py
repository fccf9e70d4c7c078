"""The rules of the house: who imports whom, and what every file has."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {name: ROOT / name / f"mcos_{name}" for name in ("hw", "policy", "sim")}
SHARED_WITH_POLICY = ("mcos_hw.config", "mcos_hw.registers")
TEXTS = (".md", ".py", ".toml", ".j2", ".vlt")
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E)\b")  # in brackets, not to find itself


def _modules(package: str) -> list[Path]:
    """Files of a package; none would mean that a check checks nothing."""
    found = sorted(PACKAGES[package].rglob("*.py"))
    assert found, f"{PACKAGES[package]} must have Python files"
    return found


def _all_modules() -> list[Path]:
    return [path for package in PACKAGES for path in _modules(package)]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imports(path: Path) -> Iterator[str]:
    """Full names of what a file imports from this project, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)} must import by full names"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("mcos_"))


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def test_hw_imports_neither_policy_nor_sim() -> None:
    found = [(path, name) for path in _modules("hw") for name in _imports(path)]
    assert found
    for path, name in found:
        assert _within(name, "mcos_hw"), f"{_name(path)} must not import {name}"


def test_policy_imports_what_it_shares_with_hw_and_nothing_of_sim() -> None:
    found = [(path, name) for path in _modules("policy") for name in _imports(path)]
    assert any(_within(name, "mcos_hw") for _, name in found)
    for path, name in found:
        allowed = any(_within(name, module) for module in ("mcos_policy", *SHARED_WITH_POLICY))
        assert allowed, f"{_name(path)} must not import {name}"


def _modules_by_name() -> dict[str, Path]:
    """Every module by the name that one imports it by."""
    found = {}
    for package, root in PACKAGES.items():
        for path in _modules(package):
            parts = path.relative_to(root.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _arrows() -> dict[str, dict[str, str]]:
    """From room to room, with an import that makes it so.

    A folder is a room. So is a file directly in a package, such as ``errors``.
    """
    modules = _modules_by_name()

    def room(module: str) -> str:
        path = modules[module]
        folder = path.parent.relative_to(ROOT).parts[1:]
        return module if len(folder) == 1 else ".".join(folder)

    arrows: dict[str, dict[str, str]] = {}
    for module, path in modules.items():
        for name in _imports(path):
            while name and name not in modules:
                name = name.rpartition(".")[0]
            if room(name) != room(module):
                arrows.setdefault(room(module), {})[room(name)] = f"{module} imports {name}"
    return arrows


def _way(arrows: dict[str, dict[str, str]], first: str, last: str) -> list[str] | None:
    """Imports from one room to another, over as few rooms as possible."""
    ways: dict[str, list[str]] = {first: []}
    ends = [first]
    for room in ends:
        for following, text in arrows.get(room, {}).items():
            if following == last:
                return [*ways[room], text]
            if following not in ways:
                ways[following] = [*ways[room], text]
                ends.append(following)
    return None


def test_no_rooms_import_each_other() -> None:
    """Neither directly nor over others: a circle of rooms is one room with many doors."""
    arrows = _arrows()
    assert arrows
    circles = [way for room in sorted(arrows) if (way := _way(arrows, room, room))]
    shortest = min(circles, key=len, default=[])
    assert not shortest, "folders must not import each other:\n" + "\n".join(shortest)


@pytest.mark.parametrize("root", [*PACKAGES.values(), ROOT / "tests"], ids=lambda path: path.name)
def test_every_folder_of_python_files_is_a_package(root: Path) -> None:
    folders = {path.parent for path in root.rglob("*.py")}
    assert folders
    missing = [_name(folder) for folder in folders if not (folder / "__init__.py").exists()]
    assert missing == []


def _public_modules() -> list[Path]:
    """Modules that others import: neither empty nor private."""
    return [
        path
        for path in _all_modules()
        if path.stat().st_size and (path.stem == "__init__" or not path.stem.startswith("_"))
    ]


def _exports(tree: ast.Module) -> ast.Assign | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return node
    return None


@pytest.mark.parametrize("path", _public_modules(), ids=_name)
def test_public_module_says_what_it_is_and_what_it_offers(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{_name(path)} must begin with a docstring"
    exports = _exports(tree)
    if exports is None:
        # Places in an array are read by the name of their module.
        definitions = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        defined = [node.name for node in definitions if not node.name.startswith("_")]
        names = ("__init__", "layout", "live", "counters")
        assert path.stem in names, f"{_name(path)} must have __all__"
        assert not defined, f"{_name(path)} must have __all__ for what it defines"
        return
    assert isinstance(exports.value, ast.List), f"__all__ of {_name(path)} must be a plain list"
    lines = [element.lineno for element in exports.value.elts]
    assert lines, f"__all__ of {_name(path)} must name something"
    assert len(set(lines)) == len(lines), f"__all__ of {_name(path)} must have one name a line"


def test_every_dependency_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    project = tables["project"]
    wanted = [
        *tables["build-system"]["requires"],
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    assert wanted
    for requirement in wanted:
        lines = [line for line in text.splitlines() if f'"{requirement}"' in line]
        count = wanted.count(requirement)
        assert len(lines) == count, f"{requirement} must stand on a line of its own in each list"
        reasons = [re.search(r'"[],]*  # \S', line) for line in lines]
        assert all(reasons), f"{requirement} must have its reason beside it"
        assert re.search("[<>=]", requirement), f"{requirement} must have a bound"


def test_nothing_is_left_to_do() -> None:
    roots = [*PACKAGES.values(), ROOT / "tests", ROOT / "docs", ROOT / "pyproject.toml"]
    files = [
        path
        for root in roots
        for path in ([root] if root.is_file() else sorted(root.rglob("*")))
        if path.suffix in TEXTS
    ]
    assert len(files) > len(_all_modules())
    for path in files:
        left = UNFINISHED.search(path.read_text(encoding="utf-8"))
        assert left is None, f"{_name(path)} must not say {left[0] if left else ''}; do it"
