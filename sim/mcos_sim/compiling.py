"""Compiled Python: numba, with a cache that no change of the sources can make stale."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numba

__all__ = [
    "CACHE",
    "compiled",
]


_USE = b"from mcos_sim.compiling import"


def _sources_hash() -> str:
    """Sixteen hexadecimal digits that name the sources of all compiled code.

    That is every module of a folder in which one imports this module: they are inlined into each
    other, with the constants of the modules beside them.
    """
    own = Path(__file__)
    sources = {path: path.read_bytes() for path in sorted(own.parent.rglob("*.py"))}
    folders = {path.parent for path, text in sources.items() if _USE in text and path != own}
    digest = hashlib.sha256(numba.__version__.encode())
    for path, text in sources.items():
        if path.parent in folders or path == own:
            digest.update(text)
    return digest.hexdigest()[:16]


CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mcos" / _sources_hash()
"""Where machine code is kept.

numba looks at the file that a function is in, not at those of the functions that it calls; so each
version of the sources has a folder of its own.
"""

# The name is set when numba is imported.
numba.config.CACHE_DIR = str(CACHE)  # ty: ignore[missing-attribute]


def compiled(function: Callable) -> Callable:
    """Compile a function of numbers and arrays when it is first called; it makes no arrays.

    Counting references to arrays that somebody else holds would take a third of the time.
    """
    return numba.njit(cache=True, forceinline=True, error_model="numpy", _nrt=False)(function)
