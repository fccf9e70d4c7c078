"""Files are whole under their name, or not there."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mcos_policy.files import remove_partials, replacing, write_text, write_together


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


FAILURES = [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), SystemExit()]


def _fail_half_way(path: Path, failure: BaseException) -> None:
    with replacing(path) as partial:
        partial.write_text("half of")
        raise failure


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@pytest.mark.parametrize("old", [None, "old"])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, old, failure):
    path = tmp_path / "result.json"
    if old is not None:
        path.write_text(old)
    before = _names(tmp_path)
    with pytest.raises(type(failure)):
        _fail_half_way(path, failure)
    assert _names(tmp_path) == before
    assert old is None or path.read_text() == old


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert _names(tmp_path) == ["result.json"]


def test_files_that_belong_together_are_new_together(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(IsADirectoryError):
        write_together({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    assert _names(tmp_path) == ["b"]
    write_together({tmp_path / "a": b"1", tmp_path / "c": b"2"})
    assert _names(tmp_path) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "written"), [("\udcff.toml", "\\udcff.toml"), ("\ud800", "\\ud800")]
)
def test_half_a_character_is_written_as_an_escape(tmp_path, text, written):
    write_text(tmp_path / "out", text)
    assert (tmp_path / "out").read_text(encoding="utf-8") == written


def test_permissions_are_those_of_the_old_file_or_of_any_new_one(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "new", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    (tmp_path / "new").chmod(0o604)
    write_text(tmp_path / "new", "again")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/target")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "target").read_text() == "new"


def test_a_loop_of_links_is_an_error_of_the_system(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError) as caught:
        write_text(tmp_path / "a", "")
    assert caught.value.errno == errno.ELOOP


def test_the_longest_name_of_a_file_system_can_be_written(tmp_path):
    write_text(tmp_path / ("é" * 127), "x")
    with pytest.raises(OSError):
        write_text(tmp_path / ("é" * 128), "x")


def test_a_device_and_a_pipe_are_written_as_they_are(tmp_path):
    with pytest.raises(OSError) as caught:
        write_text("/dev/full", "text")
    assert caught.value.errno == errno.ENOSPC
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_that_is_a_file_gets_what_is_written(tmp_path):
    """A rename would take the file away under the shell's redirection."""
    code = "from mcos_policy.files import write_text; write_text('/dev/stdout', 'text')"
    with (tmp_path / "out").open("w") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert (tmp_path / "out").read_text() == "text"
    assert _names(tmp_path) == ["out"]


def test_leftovers_are_removed_and_files_that_are_being_written_are_not(tmp_path):
    killed = (
        "import os, sys; from mcos_policy.files import replacing\n"
        "with replacing(sys.argv[1]) as partial: partial.write_text('x'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, tmp_path / "a.json"])
    assert len(_names(tmp_path)) == 1
    (tmp_path / "mine.partial").write_text("not one")
    with replacing(tmp_path / "b.json"):
        assert remove_partials(tmp_path) == 1
        assert len(_names(tmp_path)) == 2
    assert _names(tmp_path) == ["b.json", "mine.partial"]
    assert remove_partials(tmp_path / "nowhere") == 0
