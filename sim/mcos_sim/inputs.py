"""Files that a command reads into memory."""

import errno
import os
from pathlib import Path

__all__ = [
    "read_whole",
]


_MOST_BYTES = 1 << 26


def read_whole(path: Path, *, most: int = _MOST_BYTES) -> bytes:
    """The bytes of a file, which may be a device without an end.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    most : int
        Bytes that it may have.

    Raises
    ------
    OSError
        If it cannot be read, or has more bytes.
    """
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data
