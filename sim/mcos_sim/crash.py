"""What is left of a command that failed where nobody expected it."""

import datetime
import errno
import os
import platform
import sys
import tempfile
import traceback

from mcos_hw import __version__
from mcos_sim.cache import user_cache
from mcos_sim.errors import UserError

__all__ = [
    "keep_traceback",
    "machine_fault",
]


_OF_THE_MACHINE = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO", "ENOMEM", "EMFILE"),
        *("ENFILE", "ELOOP", "ENAMETOOLONG", "EISDIR", "ENOTDIR", "ENXIO", "ESTALE", "EAGAIN"),
    )
)
"""Errors of the system that say something of the user's files or machine."""


def machine_fault(error: BaseException) -> str | None:
    """What a machine or its files lack, if that is what an error says; None otherwise."""
    if isinstance(error, MemoryError):
        return "this machine must have more memory free for this; give a shorter run or fewer of it"
    if isinstance(error, FileNotFoundError) and error.filename is None:
        # Asking for the working directory names no file.
        return "the working directory must exist, and was removed; go to another one"
    if not isinstance(error, OSError) or error.errno not in _OF_THE_MACHINE:
        return None
    reason = error.strerror or str(error)
    if error.filename is None:
        return f"the machine does not allow it ({reason}); see to that and try again"
    return f"{os.fsdecode(error.filename)} must be usable, and is not ({reason}); see to that"


def keep_traceback(error: BaseException) -> str | None:
    """Write the traceback of an error to a file that only this user can read; its path, if any.

    It is in ``crashes`` of the user's cache, or a new file among the temporary ones where that
    cannot be written. It has the command line and the versions, and no file's content.
    """
    text = "".join(traceback.format_exception(error))
    versions = f"mcos {__version__}, Python {platform.python_version()}, {platform.platform()}"
    text = f"{' '.join(map(repr, sys.argv))}\n{versions}\n\n{text}"
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-")
    try:
        number, path = tempfile.mkstemp(prefix=stamp, suffix=".txt", dir=user_cache("crashes"))
    except (OSError, UserError):
        try:
            number, path = tempfile.mkstemp(prefix="mcos-crash-", suffix=".txt")
        except OSError:
            return None
    with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path
