"""The free frames of a tier, what is left in them, and how many each tenant has."""

import dataclasses

from mcos_sim.movement.queues import FreeList

__all__ = [
    "Frames",
    "FreeFrame",
    "GivenFrame",
]


@dataclasses.dataclass(frozen=True, slots=True)
class FreeFrame:
    """The frame that is handed out next. ``clean_for`` is the tenant that may read what is in it,
    None if nobody may."""

    frame: int
    clean_for: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class GivenFrame:
    """A frame that its owner gives back. If it is ``mixed``, something of whoever had it before may
    still be in it."""

    tier: int
    frame: int
    tenant: int
    mixed: bool = False


class Frames:
    """The frames of a tier, see :class:`mcos_hw.movement.frames.Frames`.

    ``free`` is the frame that is offered in this clock, ``left`` counts frames that are not in use,
    ``has`` those of each tenant.
    """

    def __init__(self, count: int, tenants: int) -> None:
        self.free: FreeFrame | None = None
        self.left = count
        self.has = [0] * tenants
        self._numbers = FreeList(count)
        self._clean_for: dict[int, int | None] = {}

    def step(self, *, taker: int | None, given: GivenFrame | None) -> None:
        """Ends a clock in which a tenant may have taken the free frame and one may have given one
        back."""
        reads = self.free is None or taker is not None
        number = self._numbers.head
        if reads:
            # What nobody had since reset is not in the history.
            self.free = None if number is None else FreeFrame(number, self._clean_for.get(number))
        self._numbers.step(takes=reads, given=given.frame if given else None)
        if taker is not None:
            self.left -= 1
            self.has[taker] += 1
        if given is not None:
            self.left += 1
            self.has[given.tenant] -= 1
            self._clean_for[given.frame] = None if given.mixed else given.tenant
