"""Which lane of a timeline each request has."""

import heapq

from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.spans import Span, older_spans, spans

__all__ = ["Lanes"]


class Lanes:
    """Lanes of all requests, tenant by tenant: each request has the first one that is free.

    Parameters
    ----------
    waveform : Waveform
        What to show; requests from before it come first.
    """

    def __init__(self, waveform: Waveform) -> None:
        self.config = waveform.config
        self.names = waveform.names
        self.last = int(waveform.clocks[-1]) + 1
        """Clock behind the last one."""
        self.of: dict[Span, int] = {}
        """Lane of each request; tenants have one empty lane between them."""
        self.middles: dict[str, float] = {}
        """Middle of the lanes of each tenant, by name."""
        base = 0
        for tag, name in sorted(waveform.names.items()):
            used = self._place([*older_spans(waveform, tag), *spans(waveform, tag)], base)
            self.middles[name] = base + (used - 1) / 2
            base += used + 1
        self.end = base
        """Lane behind the last one."""

    @property
    def spans(self) -> list[Span]:
        """Every request."""
        return list(self.of)

    def _place(self, requests: list[Span], base: int) -> int:
        """Give each request of a tenant a lane; how many they need."""
        free: list[int] = []
        busy: list[tuple[int, int]] = []
        used = 0
        for each in requests:
            while busy and busy[0][0] <= each.begins:
                heapq.heappush(free, heapq.heappop(busy)[1])
            if free:
                lane = heapq.heappop(free)
            else:
                lane, used = used, used + 1
            heapq.heappush(busy, (each.answered or self.last, lane))
            self.of[each] = base + lane
        return max(1, used)
