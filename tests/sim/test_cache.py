"""The user's cache: private, or not used."""

import os
import stat
import time
from pathlib import Path

import pytest

from mcos_sim.cache import clear_unused, user_cache
from mcos_sim.errors import UserError


@pytest.fixture
def parent(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_every_folder_is_private(parent):
    folder = user_cache("simulators")
    assert folder == parent / "mcos" / "simulators"
    for each in (folder, folder.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


def test_a_folder_that_others_read_is_closed(parent):
    (parent / "mcos").mkdir()
    (parent / "mcos").chmod(0o755)
    assert stat.S_IMODE(user_cache().stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_write_is_refused(parent, mode):
    (parent / "mcos").mkdir()
    (parent / "mcos").chmod(mode)
    with pytest.raises(UserError, match=rf"\(mode 0700\), not 0{mode:o}, because code is loaded"):
        user_cache()


def test_a_folder_of_another_user_is_refused(parent, monkeypatch):
    user_cache()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UserError, match="must belong to the user who runs mcos"):
        user_cache()


def test_a_file_in_its_place_is_told(parent):
    (parent / "mcos").write_text("")
    with pytest.raises(UserError, match=r"must be a folder that can be written, not this"):
        user_cache()


def test_a_relative_path_is_ignored(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "build")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache() == tmp_path / ".cache" / "mcos"


def test_a_link_of_another_user_is_refused(parent, monkeypatch, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o755)
    (parent / "mcos").symlink_to(mine)
    assert user_cache() == parent / "mcos"
    mine.chmod(0o755)
    linked = os.lstat(parent / "mcos")
    other = os.stat_result((*linked[:4], linked.st_uid + 1, *linked[5:]))
    monkeypatch.setattr(Path, "lstat", lambda path: other)
    with pytest.raises(UserError, match="must belong to the user who runs mcos"):
        user_cache()
    assert stat.S_IMODE(mine.stat().st_mode) == 0o755


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_folders_that_nobody_used_go(parent, days, stays):
    folder = user_cache("machine-code", "old")
    then = time.time() - days * 24 * 3600
    os.utime(folder, (then, then))
    clear_unused(folder.parent)
    assert folder.exists() is stays
