"""What a long step is doing just now, for whoever shows its progress."""

import contextlib
import threading
from collections.abc import Generator

__all__ = [
    "current",
    "stage",
]


_lock = threading.Lock()
_active: dict[object, str] = {}


@contextlib.contextmanager
def stage(text: str) -> Generator[None, None, None]:
    """Have :func:`current` tell this while the block runs, in whatever thread.

    Parameters
    ----------
    text : str
        What the block does, such as "compiling C++".
    """
    token = object()
    with _lock:
        _active[token] = text
    try:
        yield
    finally:
        with _lock:
            del _active[token]


def current() -> str:
    """What runs now, each thing once and in the order of their beginnings; empty if none does."""
    with _lock:
        return ", ".join(dict.fromkeys(_active.values()))
