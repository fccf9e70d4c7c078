"""What is built is kept whole, built again when it is damaged, and nothing is left behind."""

import fcntl
import os
import time

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.building import index
from mcos_sim.building.index import looked_up
from mcos_sim.building.store import kept, sound, store
from mcos_sim.errors import UserError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


class Builder:
    """Writes two files and a subfolder, and counts how often."""

    def __init__(self):
        self.runs = 0

    def __call__(self, folder):
        self.runs += 1
        (folder / "library.so").write_bytes(bytes(1_000))
        (folder / "top.v").write_text("module top;")
        (folder / "objects").mkdir()
        (folder / "objects" / "top.o").write_bytes(b"o")


def test_it_is_built_once_and_only_its_files_are_kept():
    make = Builder()
    folder = kept("top-1", make)
    assert kept("top-1", make) == folder
    assert make.runs == 1
    assert {path.name for path in folder.iterdir()} == {"library.so", "top.v", "manifest.json"}


@pytest.mark.parametrize("name", ["two words", "it's", "$HOME", "a#b"])
def test_a_path_in_which_make_builds_nothing_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
    with pytest.raises(UserError, match="must be kept in a folder whose path has neither spaces"):
        kept("top-1", Builder())


def test_letters_of_any_alphabet_are_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "~müller,1"))
    assert sound(kept("top-1", Builder()))


DAMAGE = {
    "truncated": lambda folder: os.truncate(folder / "library.so", 10),
    "empty": lambda folder: os.truncate(folder / "library.so", 0),
    "one bit": lambda folder: (folder / "library.so").write_bytes(bytes(999) + b"\1"),
    "a file is missing": lambda folder: (folder / "top.v").unlink(),
    "a file too many": lambda folder: (folder / "more.so").write_bytes(b""),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "half a manifest": lambda folder: os.truncate(folder / "manifest.json", 20),
    "another manifest": lambda folder: (folder / "manifest.json").write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_built_again(damage):
    make = Builder()
    folder = kept("top-1", make)
    damage(folder)
    assert not sound(folder)
    assert kept("top-1", make) == folder
    assert make.runs == 2
    assert sound(folder)


def test_a_build_that_fails_leaves_nothing_and_is_tried_again():
    def fail(folder):
        (folder / "half").write_text("")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept("top-1", fail)
    assert [path for path in store().iterdir() if path.is_dir()] == []
    assert sound(kept("top-1", Builder()))


def test_what_a_killed_build_left_is_removed_by_the_next_and_a_living_one_is_not():
    killed, living = store() / "killed-1.scratch", store() / "living-1.scratch"
    killed.mkdir()
    living.mkdir()
    with (store() / "living-1.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept("top-1", Builder())
    assert not killed.exists()
    assert living.exists()


def test_a_scratch_folder_of_its_own_name_does_not_stop_a_build():
    (store() / "top-1.scratch").mkdir()
    (store() / "top-1.scratch" / "library.so").write_text("half")
    assert sound(kept("top-1", Builder()))


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_what_nobody_used_for_a_month_goes(days, stays):
    old = kept("old-1", Builder())
    then = time.time() - days * 24 * 3600
    os.utime(old / "manifest.json", (then, then))
    kept("top-1", Builder())
    assert old.exists() is stays


CONFIG = ChannelConfig(tenants=4)


def found(make, config=CONFIG, arbiter=ArbiterKind.MCOS):
    return looked_up("top", "recipe", config, arbiter, lambda: kept(f"top-{config.hash}", make))


def test_the_index_finds_what_the_sources_led_to(monkeypatch):
    make = Builder()
    folder = found(make)
    asked = []
    assert looked_up("top", "recipe", CONFIG, ArbiterKind.MCOS, lambda: asked.append(1)) == folder
    assert asked == []
    monkeypatch.setattr(index, "sources_hash", lambda: "others")
    assert looked_up("top", "recipe", CONFIG, ArbiterKind.MCOS, lambda: folder) == folder
    assert found(make, arbiter=ArbiterKind.FCFS) == folder


@pytest.mark.parametrize("text", ["", "null", '"../../elsewhere"', '"gone-1"', "[1]", "\0"])
def test_an_index_that_leads_nowhere_is_written_anew(text):
    make = Builder()
    folder = found(make)
    (entry,) = store().glob("*.index")
    entry.write_text(text)
    assert found(make) == folder
    assert "top-" in entry.read_text()
    os.truncate(folder / "library.so", 0)
    assert found(make) == folder
    assert make.runs == 2
