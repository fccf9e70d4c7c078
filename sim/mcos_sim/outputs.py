"""Files that a command writes, checked before any work is done."""

import contextlib
import os
import stat
from collections.abc import Generator, Hashable, Iterable
from pathlib import Path

from mcos_policy.files import is_stream, remove_partials, replacing
from mcos_sim.errors import UserError

__all__ = [
    "require_outputs",
    "writing",
]


@contextlib.contextmanager
def writing(*paths: Path | None) -> Generator[None, None, None]:
    """Turn a failure to write into a :class:`UserError` that names the file.

    Parameters
    ----------
    paths : Path or None
        What is written; where the failure names none of them, it is the first one's.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        named = error.filename if error.filename in map(str, paths) else paths[0]
        raise UserError(
            f"{named} must be a file that can be written, not this ({reason}); choose another"
        ) from None


def require_outputs(
    outputs: Iterable[Path | None],
    *,
    inputs: Iterable[Path | None] = (),
    folders: Iterable[Path] = (),
) -> None:
    """Check, before any work is done, that files can be written and lose nothing.

    Two names of one file, by links or by ``..``, are one file. Leftovers of killed commands are
    removed from the folders that are written to.

    Parameters
    ----------
    outputs : Iterable[Path or None]
        Every file that will be written, also those that follow from the name of another; None for
        those that were not asked for. Missing folders are made.
    inputs : Iterable[Path or None]
        Every file that is read and must stay, also those that follow from the name of another.
    folders : Iterable[Path]
        Folders of outputs that the command names itself; made where they are missing.

    Raises
    ------
    UserError
        If an output is an input, another output or a folder of one, or cannot be written.
    """
    written = [path for path in outputs if path is not None]
    made = list(folders)
    taken = {key for path in inputs if path is not None for key in _keys(path)}
    parents = {parent for path in written for parent in _real(path).parents}
    parents |= {each for path in made for each in (_real(path), *_real(path).parents)}
    for path in written:
        keys = _keys(path)
        if taken & keys:
            raise UserError(
                f"{path} must not be written, because this command reads it or writes it as "
                "something else; choose another name"
            )
        if _real(path) in parents:
            raise UserError(
                f"{path} must not be written as a file, because it is a folder of another output; "
                "choose another name"
            )
        taken |= keys
    for path in made:
        _require_folder(path)
        remove_partials(path)
    for path in written:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_stream(path):
                continue
            with contextlib.suppress(_Tried), replacing(path):
                raise _Tried
    for folder in {path.parent for path in written}:
        remove_partials(folder)


class _Tried(Exception):  # noqa: N818  (nothing is wrong)
    """A file could be written; it is not to be."""


def _require_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} must be a folder that can be written, not this ({reason}); choose another"
        ) from None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _keys(path: Path) -> set[Hashable]:
    """What a file is known by: its name without links, and its number if it is there.

    A terminal or a pipe loses nothing, and may be read and written at once.
    """
    keys: set[Hashable] = {_real(path)}
    with contextlib.suppress(OSError):
        found = path.stat()
        if stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode):
            return set()
        keys.add((found.st_dev, found.st_ino))
    return keys
