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


_SOURCES = ("compiling.py", "environment", "fairness", "memory", "reference")
"""What compiled code is made from, as it is inlined from one module into another."""


def _sources_hash() -> str:
    """Sixteen hexadecimal digits that name the sources of all compiled code."""
    root = Path(__file__).parent
    text = hashlib.sha256(numba.__version__.encode())
    for name in _SOURCES:
        path = root / name
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            text.update(source.read_bytes())
    return text.hexdigest()[:16]


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
