"""The user's own cache: the only folder that code is loaded from."""

import os
import shutil
import stat
import time
from pathlib import Path

from mcos_sim.errors import UserError

__all__ = [
    "MOST_UNUSED_SECONDS",
    "clear_unused",
    "user_cache",
]

MOST_UNUSED_SECONDS = 30 * 24 * 3600
"""What nobody used for so long goes when something new is made."""

_PRIVATE = 0o700


def user_cache(*parts: str) -> Path:
    """A folder below ``$XDG_CACHE_HOME/mcos`` that nobody but this user can read or write.

    Simulators and machine code are kept here, never in the folder that a command is run in: a
    repository that ships a shared library must not get it loaded.

    Parameters
    ----------
    *parts : str
        Names of folders below it; made if they are missing.

    Returns
    -------
    pathlib.Path
        Absolute path. Without the variable, or if it is relative, which the XDG base directory
        specification says to ignore, the parent is ``~/.cache``.

    Raises
    ------
    UserError
        If the folder cannot be made, belongs to another user, or others can write to it.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME") or "")
    try:
        folder = (given if given.is_absolute() else Path.home() / ".cache") / "mcos"
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = folder.stat()
        # A link, too: another user's could lead to any folder of this one.
        for owner in {folder.lstat().st_uid, found.st_uid} - {os.geteuid()}:
            raise UserError(
                f"{folder} must belong to the user who runs mcos, not to user {owner}; "
                "set XDG_CACHE_HOME to a folder of your own"
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UserError(
                f"{folder} must be a folder that only you can write (mode 0700), not "
                f"{stat.S_IMODE(found.st_mode):04o}, because code is loaded from it; remove it"
            )
        folder.chmod(_PRIVATE)
        wanted = folder.joinpath(*parts)
        wanted.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"the cache must be a folder that can be written, not this ({reason}); "
            "set XDG_CACHE_HOME to one"
        ) from None
    return wanted


def clear_unused(folder: Path) -> None:
    """Remove the folders in a folder that nobody used for 30 days.

    Parameters
    ----------
    folder : pathlib.Path
        Where they are. The time of each says when it was used last.
    """
    oldest = time.time() - MOST_UNUSED_SECONDS
    for each in folder.iterdir():
        if each.is_dir() and each.stat().st_mtime < oldest:
            shutil.rmtree(each, ignore_errors=True)
