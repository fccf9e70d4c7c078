"""What this user built: each simulator in a folder of its own, with the hashes of its files."""

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Generator
from pathlib import Path

from mcos_sim.cache import MOST_UNUSED_SECONDS, user_cache
from mcos_sim.errors import UserError
from mcos_sim.stages import stage

__all__ = [
    "kept",
    "sound",
    "store",
]

_BUILDABLE = re.compile(r"[\w@%+=,./~-]+")
"""Paths that mean themselves to make and to the shell."""

_MANIFEST = "manifest.json"
_SCRATCH = ".scratch"


def store() -> Path:
    """The folder of everything that was built.

    Raises
    ------
    UserError
        If the user has no cache, or its path is one in which make builds nothing.
    """
    folder = user_cache("simulators")
    if not _BUILDABLE.fullmatch(str(folder)):
        raise UserError(
            "simulators must be kept in a folder whose path has neither spaces nor quotes, because "
            f"make builds them there, not in {str(folder)!r}; set XDG_CACHE_HOME to another"
        )
    return folder


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` of the store, made if it is missing or damaged.

    It is built in a folder beside it and renamed, so that nobody sees half of it. Two processes may
    ask for the same one at the same time: one builds, the other waits. What killed builds left, and
    what nobody asked for in a month, goes when something is built.

    Parameters
    ----------
    name : str
        What it is and the hash of what it is made from.
    make : Callable[[pathlib.Path], None]
        Writes the files into an empty folder. What it needs on the way goes into a subfolder, which
        is not kept.
    """
    folder = store() / name
    with _locked(folder):
        if not sound(folder):
            _clear(folder.parent)
            shutil.rmtree(folder, ignore_errors=True)
            scratch = folder.with_name(f"{name}{_SCRATCH}")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(mode=0o700)
            try:
                make(scratch)
                _finish(scratch)
                scratch.rename(folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return folder


def sound(folder: Path) -> bool:
    """Whether a folder of the store is whole: its files are those that were built.

    A folder that is sound counts as used now.
    """
    manifest = folder / _MANIFEST
    try:
        hashes = json.loads(manifest.read_bytes())
        files = {path.name for path in folder.iterdir()} - {_MANIFEST}
        whole = hashes == {name: _hash(folder / name) for name in files}
        if whole:
            manifest.touch()
    except (OSError, ValueError):
        return False
    return whole


def _finish(scratch: Path) -> None:
    """Leave the files, and their hashes beside them."""
    for path in scratch.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    hashes = {path.name: _hash(path) for path in scratch.iterdir()}
    (scratch / _MANIFEST).write_text(json.dumps(hashes, sort_keys=True), encoding="utf-8")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None, None, None]:
    """Keep a folder to one process; others wait."""
    with _lock_path(folder).open("w") as file:
        with stage("waiting for another build"):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear(directory: Path) -> None:
    """Remove scratch folders whose builder is gone, and what has not been used for long."""
    oldest = time.time() - MOST_UNUSED_SECONDS
    for folder in directory.iterdir():
        name = folder.name.removesuffix(_SCRATCH)
        if name == folder.name and not _unused(folder, oldest):
            continue
        with contextlib.suppress(OSError), _lock_path(folder.with_name(name)).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _unused(folder: Path, oldest: float) -> bool:
    manifest = folder / _MANIFEST
    return manifest.exists() and manifest.stat().st_mtime < oldest
