"""Ctrl-C while a sweep runs: who is told of it."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Generator
from types import FrameType

__all__ = [
    "interrupts_ignored",
    "interrupts_kept",
]


@contextlib.contextmanager
def _handled(
    handler: Callable[[int, FrameType | None], object] | signal.Handlers,
) -> Generator[None, None, None]:
    """Ctrl-C goes to a handler, and afterwards to the one of before."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def interrupts_ignored() -> Generator[None, None, None]:
    """Processes that are started meanwhile leave Ctrl-C to the one that started them."""
    with _handled(signal.SIG_IGN):
        yield


def _unheard(failure: "sys.UnraisableHookArgs") -> None:
    """Say nothing of what a destructor raised."""


@contextlib.contextmanager
def interrupts_kept() -> Generator[threading.Event, None, None]:
    """Ctrl-C does what it did, and is remembered: what is raised in a destructor is lost.

    An object whose destructor was interrupted may fail in it again, until the process ends. So from
    the first Ctrl-C on such failures are not printed.
    """
    before = signal.getsignal(signal.SIGINT)
    interrupted = threading.Event()

    def keep(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        sys.unraisablehook = _unheard
        if callable(before):
            before(number, frame)

    with _handled(keep):
        yield interrupted
