"""Progress that moves by itself: a bar on a terminal, a line now and then elsewhere."""

import contextlib
import threading
import time
from collections.abc import Callable, Generator

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mcos_policy.diagnostics import printable
from mcos_sim.stages import current

__all__ = [
    "FIRST_LINE_SECONDS",
    "LINE_SECONDS",
    "Work",
    "shown",
]


FIRST_LINE_SECONDS = 2.0
"""Time after which work is told of where there is no terminal; what ends before is not."""

LINE_SECONDS = 10.0
"""Time between further lines."""

_REFRESH_SECONDS = 0.2

_QUICK_SECONDS = 0.3
"""What ends within this time shows no bar, which would only flicker."""

_BEGINNING = 0.1
"""Part of the work that alone says nothing of how long the rest takes."""

_BAR_WIDTH = 20

_BAR_FROM_WIDTH = 80
"""Width of a terminal from which on a bar stands before the words."""


class Work:
    """Something that takes a while; called with the amount done since the last call.

    Parameters
    ----------
    description : str
        What is going on.
    total : float or None
        Amount of work, None where nobody knows it.
    unit : str
        Plural of what is counted, to show how much is done a second; empty for no rate.
    now : Callable[[], float]
        A clock in seconds.
    """

    def __init__(
        self,
        description: str,
        total: float | None,
        *,
        unit: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.description = printable(description)
        self.total = total
        self.unit = unit
        self.done = 0.0
        self._now = now
        self._begun = now()
        # Time and amount of the first call: what came before it says nothing of the rate.
        self._first: tuple[float, float] | None = None
        self._lock = threading.Lock()

    def __call__(self, amount: float) -> None:
        """Count work that was done, in whatever thread."""
        with self._lock:
            self.done += amount
            if self._first is None and amount > 0:
                self._first = (self._now(), self.done)

    @property
    def share(self) -> float | None:
        """Part of the work that is done, None while nothing is known."""
        if self._first is None or not self.total:
            return None
        return min(1.0, self.done / self.total)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._now() - self._begun

    @property
    def rate(self) -> float | None:
        """Amount of work a second, None while nothing is known."""
        if self._first is None:
            return None
        time_of_first, done_at_first = self._first
        seconds, done = self._now() - time_of_first, self.done - done_at_first
        if not done or not seconds:
            # The first amount took all of the time, unless it is but a beginning.
            if self.total and self.done < _BEGINNING * self.total:
                return None
            seconds, done = self.elapsed, self.done
        return done / seconds if seconds else None

    def line(self) -> str:
        """All of it in a line of words."""
        stages = current()
        told = f"{self.description} ({stages})" if stages else self.description
        facts = []
        if self.share is not None:
            of = f" of {self.total:,.0f} {self.unit}" if self.unit else ""
            facts.append(f"{self.share:.0%}{of}")
        facts.append(_span(self.elapsed))
        if self.rate and self.share is not None and self.total:
            if self.share < 1:
                facts.append(f"about {_span((self.total - self.done) / self.rate)} left")
            if self.unit:
                rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.2g}"
                facts.append(f"{rate} {self.unit}/s")
        return f"{told}: {', '.join(facts)}"


def _span(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole // 60 % 60:02} min"


@contextlib.contextmanager
def shown(
    work: Work,
    console: Console,
    *,
    first_seconds: float = FIRST_LINE_SECONDS,
    seconds: float = LINE_SECONDS,
) -> Generator[Work, None, None]:
    """Show how far some work is while the block runs.

    On a terminal a line with a bar is refreshed, and goes when the block ends. Elsewhere plain
    lines are printed, the first after ``first_seconds``, and a last one when the block ends without
    an error. Nothing is left running however the block ends.

    Parameters
    ----------
    work : Work
        What is done.
    console : Console
        Where it is shown.
    first_seconds, seconds : float
        Time until the first plain line, and between two of them.
    """
    if console.file.isatty() and not console.is_dumb_terminal:
        live = Live(
            console=console,
            get_renderable=lambda: _bar(work, console.width),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
        )

        def refresh() -> None:
            live.start()
            live.refresh()

        try:
            with _every(_REFRESH_SECONDS, refresh, first=_QUICK_SECONDS):
                yield work
        finally:
            live.stop()
        return
    lines = 0

    def tell() -> None:
        nonlocal lines
        lines += 1
        console.print(work.line(), soft_wrap=True)

    with _every(seconds, tell, first=first_seconds):
        yield work
    if lines:
        console.print(f"{work.description}: done in {_span(work.elapsed)}", soft_wrap=True)


@contextlib.contextmanager
def _every(
    seconds: float, act: Callable[[], None], *, first: float = 0.0
) -> Generator[None, None, None]:
    """Act again and again in a thread while the block runs."""
    ended = threading.Event()

    def run() -> None:
        wait = first
        while not ended.wait(wait):
            act()
            wait = seconds

    thread = threading.Thread(target=run, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _bar(work: Work, width: int) -> RenderableType:
    words = Text(work.line(), overflow="fold")
    if width < _BAR_FROM_WIDTH:
        return words
    share = work.share
    bar = ProgressBar(
        total=None if share is None else 1.0,
        completed=share or 0.0,
        width=_BAR_WIDTH,
        pulse=share is None,
    )
    row = Table.grid(padding=(0, 1))
    row.add_column(width=_BAR_WIDTH)
    row.add_column()
    row.add_row(bar, words)
    return row
