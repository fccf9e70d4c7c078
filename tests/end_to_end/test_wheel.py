"""The installed wheel works in an empty folder, without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / name / f"mcos_{name}" for name in ("hw", "policy", "sim")]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, as an installer would fetch it."""
    pytest.importorskip("hatchling", reason="hatchling is in .[dev]; run make setup")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


class Installed:
    """The command of an installed wheel, in an empty folder."""

    def __init__(self, site: Path, folder: Path) -> None:
        self.site = site
        self.folder = folder

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A Python that finds the wheel before anything else."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            # A relative path, such as that of a waveform, must not be looked for in the checkout.
            env={**os.environ, "PYTHONPATH": str(self.site), "MCOS_SHARED": "/nowhere"},
            capture_output=True,
            text=True,
        )

    def __call__(self, line: str) -> str:
        """What a command prints; it must succeed."""
        done = self.python("-m", "mcos_sim", *line.split())
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    command = Installed(site, tmp_path_factory.mktemp("empty"))
    for package in PACKAGES:
        found = command.python("-c", f"import {package.name}; print({package.name}.__file__)")
        assert found.stdout.strip() == str(site / package.name / "__init__.py")
    return command


def test_it_has_every_file_of_the_packages_and_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        shared = {
            folder: {name for name in names if f".data/data/share/{folder}/" in name}
            for folder in ("doc/mcos", "mcos/constraints")
        }
        names = names.difference(*shared.values())
        (entry,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "mcos = mcos_sim.__main__:main" in archive.read(entry).decode()
    expected = {
        str(path.relative_to(package.parent))
        for package in PACKAGES
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for suffix in (".toml", ".j2", ".cpp", ".vlt", "Makefile", "gitignore", "py.typed"):
        assert any(name.endswith(suffix) for name in expected), suffix
    assert names == expected
    for folder, known in (("docs", "first-hour.md"), ("constraints", "asic/mcos.sdc")):
        root = ROOT / folder
        written = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        assert known in written
        place = {"docs": "doc/mcos", "constraints": "mcos/constraints"}[folder]
        assert {name.split(f"/share/{place}/")[1] for name in shared[place]} == written


def test_commands_that_need_no_simulator(installed):
    assert "decode-prefill" in installed("init --list")
    assert "decode-a" in installed("explain decode-prefill")
    installed("compile decode-prefill -o image/c.img")
    assert (installed.folder / "image" / "c.img.hex").exists()
    assert "Usage: mcos demo" in installed("demo --help")


def test_a_service_from_init_to_its_page(installed):
    installed("init service")
    installed("explain service/contract.toml")
    told = installed(
        "run service/contract.toml --traffic service/traffic.toml --engine reference "
        "--clocks 20000 --waves service/w.vcd --window 2000:4000 -o service/run"
    )
    assert "chat" in told
    told = installed("waves service/w.vcd --html service/w.html")
    assert "no rule is broken" in told
    assert "chat" in (installed.folder / "service" / "w.html").read_text(encoding="utf-8")
