"""Ways to the registers of a core."""

import errno
import mmap
import os
import stat
from pathlib import Path
from typing import Protocol

from mcos_policy.client.error import ClientError

__all__ = [
    "MappedFile",
    "Transport",
]


_WORD_BYTES = 4


class Transport(Protocol):
    """Reads and writes whole words at byte addresses, counted from the core's first register.

    Accesses happen in the order of the calls. A write has arrived before the next read is answered.
    """

    def read32(self, address: int) -> int:
        """The word at an address."""
        ...

    def write32(self, address: int, word: int) -> None:
        """Write a word at an address."""
        ...


class MappedFile:
    """Registers in a file that the processor sees as memory.

    Such files are the resource of a PCIe BAR (``/sys/bus/pci/devices/.../resource0``), a UIO device
    (``/dev/uio0``, whose mapping N begins at N pages), ``/dev/mem``, and plain files in tests.
    Every access is one load or store of 32 bits, as the registers need it, in the byte order of the
    processor: it has to be little-endian, as the registers are.

    Parameters
    ----------
    path : str or Path
        The file.
    offset : int
        Where in it the core's registers begin; a multiple of 4.
    length : int or None
        Bytes from there. None takes the rest of the file; a device that tells no length needs one.
    writable : bool
        Whether anything will be written.

    Raises
    ------
    ClientError
        If the file is missing, not allowed, too short, or cannot be mapped.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        offset: int = 0,
        length: int | None = None,
        writable: bool = True,
    ) -> None:
        self.path = Path(path)
        if offset < 0 or offset % _WORD_BYTES:
            raise ClientError(
                "the offset must be a multiple of 4 from 0 on", str(offset), "correct it"
            )
        if length is not None and (length <= 0 or length % _WORD_BYTES):
            raise ClientError(
                "the length must be a multiple of 4 over 0", str(length), "correct it"
            )
        self._map, skipped = self._mapped(offset, length, writable)
        self._bytes = memoryview(self._map)
        whole = (len(self._bytes) - skipped) // _WORD_BYTES * _WORD_BYTES
        # An element of such a view is copied as one object of four bytes.
        self._words = self._bytes[skipped : skipped + whole].cast("I")

    def _mapped(self, offset: int, length: int | None, writable: bool) -> tuple[mmap.mmap, int]:
        """The memory from the page on in which the registers begin, and where in it they do."""
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_SYNC | os.O_CLOEXEC
        # A page is the least that can be mapped.
        first = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        try:
            file = os.open(self.path, flags | os.O_NONBLOCK)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            found = os.fstat(file)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if stat.S_ISREG(found.st_mode):
                # Reading behind the end of a file would end the process.
                needed = offset + (_WORD_BYTES if length is None else length)
                if found.st_size < needed:
                    raise ClientError(
                        f"{self.path} must have at least {needed} bytes",
                        str(found.st_size),
                        "give the file of the memory in which the core is, and its offset there",
                    )
                end = found.st_size if length is None else needed
            elif length is None:
                raise ClientError(
                    f"{self.path} must tell its length",
                    "be a device without one",
                    "say how many bytes of registers there are",
                )
            else:
                end = offset + length
            access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
            return (
                mmap.mmap(file, end - first, flags=mmap.MAP_SHARED, prot=access, offset=first),
                offset - first,
            )
        except (OSError, OverflowError) as error:
            raise self._unusable(error) from None
        finally:
            os.close(file)

    def _unusable(self, error: OSError | OverflowError) -> ClientError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        way_out = "give the file of the memory in which the core is"
        if isinstance(error, PermissionError):
            way_out = "ask as a user who may, such as root"
        return ClientError(
            f"{self.path} must be a file that can be mapped", f"this ({reason})", way_out
        )

    def __enter__(self) -> "MappedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back; no access is possible after it."""
        self._words.release()
        self._bytes.release()
        self._map.close()

    def read32(self, address: int) -> int:
        """The word at an address."""
        return self._words[self._place(address)]

    def write32(self, address: int, word: int) -> None:
        """Write a word at an address."""
        self._words[self._place(address)] = word

    def _place(self, address: int) -> int:
        place, rest = divmod(address, _WORD_BYTES)
        if rest or not 0 <= place < len(self._words):
            raise ClientError(
                f"an address in {self.path} must be a multiple of 4 under "
                f"{_WORD_BYTES * len(self._words):#x}",
                f"{address:#x}",
                "map as many bytes as the core has registers",
            )
        return place
