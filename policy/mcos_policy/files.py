"""Files that are written: whole or not at all.

Every file that a command writes goes through :func:`replacing`. The content is written to a partial
file in the same folder, which gets the final name once it is complete. A full disk, Ctrl-C or a
killed process therefore leaves nothing under the final name, and an older file there stays whole.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

__all__ = [
    "is_stream",
    "remove_partials",
    "replacing",
    "write_text",
    "write_together",
]


_PARTIAL = re.compile(r"\..*\.[0-9a-f]{8}\.partial", re.DOTALL)

_LONGEST_STEM = 200
"""Bytes of the final name in that of its partial file; file systems allow 255 in all."""


@contextlib.contextmanager
def replacing(path: str | Path) -> Generator[Path, None, None]:
    """Give a file new content, all of it or none.

    The new file has the permissions of the one it replaces, or those of any new file. A symbolic
    link stays and its target is replaced. Devices, pipes, and the file behind the process's own
    standard output are written as they are, because a rename would cut them off.

    Parameters
    ----------
    path : str or pathlib.Path
        The final name; its folder exists.

    Yields
    ------
    pathlib.Path
        Where to write.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    if is_stream(target):
        with _failures_named(target, target):
            yield target
        return
    with _renamed(Path(os.path.realpath(target))) as partial, _failures_named(partial, target):
        yield partial


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files that belong together; none is new before all are complete.

    Raises
    ------
    OSError
        If one of them cannot be written.
    """
    with contextlib.ExitStack() as stack:
        for path, data in files.items():
            stack.enter_context(replacing(path)).write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8 with the line ends of the text, whole or not at all.

    Bytes of a file name that are no character, and halves of one from a JSON file, become escapes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_together({Path(path): text.encode(errors="backslashreplace")})


def is_stream(path: Path) -> bool:
    """Whether a path is written as it stands: a device, a pipe, or our own output.

    Raises
    ------
    OSError
        If it is something that no file may replace: a folder, a disk or a socket.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    if stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode):
        return True
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return any(os.path.samestat(found, own) for own in _own_outputs())


def remove_partials(folder: Path) -> int:
    """Remove what killed processes left half written in a folder; how many files that were.

    A partial file is locked as long as the process that writes it lives. Those are left alone, and
    so are files of other users.
    """
    removed = 0
    try:
        names = [each.name for each in os.scandir(folder) if _PARTIAL.fullmatch(each.name)]
    except OSError:
        return 0
    for name in names:
        with contextlib.suppress(OSError):
            removed += _remove_unlocked(folder / name)
    return removed


@contextlib.contextmanager
def _failures_named(written: Path, target: Path) -> Generator[None, None, None]:
    """Give failures the final name, where they have none or that of a partial file."""
    try:
        yield
    except OSError as error:
        if error.filename not in (None, str(written)):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(target)) from None


@contextlib.contextmanager
def _renamed(target: Path) -> Generator[Path, None, None]:
    """A partial file that becomes a regular one."""
    mode = _mode(target)
    partial, lock = _new_partial(target)
    try:
        if mode is not None:
            os.fchmod(lock, mode)
        yield partial
        os.replace(partial, target)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    finally:
        os.close(lock)


def _remove_unlocked(partial: Path) -> bool:
    file = os.open(partial, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        partial.unlink()
        return True
    finally:
        os.close(file)


def _own_outputs() -> Iterator[os.stat_result]:
    for number in (1, 2):
        with contextlib.suppress(OSError):
            yield os.fstat(number)


def _mode(target: Path) -> int | None:
    """Permissions of the file that is replaced, None where there is none."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not os.access(target, os.W_OK):
        # A rename would not ask for this.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    return stat.S_IMODE(found.st_mode)


def _new_partial(target: Path) -> tuple[Path, int]:
    """An empty partial file, and the descriptor that holds its lock."""
    stem = os.fsdecode(os.fsencode(target.name)[:_LONGEST_STEM])
    while True:
        partial = target.with_name(f".{stem}.{secrets.token_hex(4)}.partial")
        with contextlib.suppress(FileExistsError):
            lock = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            with contextlib.suppress(OSError):  # a file system without locks, where nobody removes
                fcntl.flock(lock, fcntl.LOCK_EX)
            # Between its creation and its lock another process may have taken it for a leftover.
            if os.fstat(lock).st_nlink:
                return partial, lock
            os.close(lock)
