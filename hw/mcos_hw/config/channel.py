"""Sizes of a channel, chosen once and shared by hardware, policy and simulation.

Everything that two packages must agree on about widths and capacities is a field or a property of
:class:`ChannelConfig`; nothing here is typed a second time elsewhere.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction

__all__ = [
    "ADMISSIBLE_SHARE",
    "COMPACT_INTERVALS",
    "POWERS_OF_TWO",
    "RANGES",
    "REFILL_CLOCKS",
    "SWITCHES",
    "UPDATE_CLOCKS",
    "ChannelConfig",
    "require_range",
]


ADMISSIBLE_SHARE = Fraction(85, 100)
"""Largest admissible sum of guarantees, as a share of capacity (docs/origins.md)."""

RANGES: Mapping[str, tuple[int, int]] = {
    "tenants": (4, 16),
    "queue_depth": (2, 64),
    "beat_bytes": (8, 128),
    "max_beats": (2, 16),
    "bytes_per_clock": (8, 1024),
    "clock_khz": (1_000, 4_000_000),
    "id_width": (1, 16),
    "address_width": (32, 64),
    "stamp_width": (16, 56),
    "slots": (16, 4096),
    "tag_fraction": (8, 24),
    "rate_fraction": (16, 24),
    "reciprocal_fraction": (8, 30),
    "total_reciprocal_fraction": (8, 31),
    "depth_width": (12, 31),
    "clocks_width": (12, 32),
    "lateness": (0, 3),
    "grant_interval": (1, 8),
}
"""Least and largest value of each size; some depend on another one as well."""

POWERS_OF_TWO = ("tenants", "queue_depth", "beat_bytes", "max_beats", "slots")
"""Sizes that are a power of two."""

SWITCHES = ("loader_checks", "monitors")
"""Parts of the hardware that may be left out."""

UPDATE_CLOCKS = 3
"""Clocks from a grant of a compact channel until heads, classes and tags are as it leaves them."""

REFILL_CLOCKS = 3
"""Clocks from the one in which buckets of a compact channel are read to the one that writes them.
"""

COMPACT_INTERVALS = range(UPDATE_CLOCKS + 1, RANGES["grant_interval"][1] + 1)
"""Grant intervals of a compact channel, in clocks; docs/compact.md says why there is no shorter."""


def require_range(name: str, value: int, low: int, high: int) -> None:
    """A size must be an integer from ``low`` to ``high``.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is out of its range.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be in {low}..{high}, not {value!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelConfig:
    """Sizes of one channel.

    The defaults are one HBM3 channel: 64 bytes per clock at 800 MHz, 51.2 GB/s.

    Parameters
    ----------
    tenants : int
        Tenants told apart, 4, 8 or 16. A tag is ``tenant_width`` bits.
    queue_depth : int
        Requests each tenant can queue; a power of two.
    beat_bytes : int
        Bytes of one beat; a power of two.
    max_beats : int
        Beats of the longest request; a power of two. ``l_max`` is ``beat_bytes * max_beats``.
    bytes_per_clock : int
        The channel's rate r, in bytes per clock.
    clock_khz : int
        Clock frequency in kHz; converts nanoseconds to clocks, nothing else.
    id_width : int
        Bits of a requester's request id, returned unchanged with the response.
    address_width : int
        Bits of a byte address.
    stamp_width : int
        Bits of the modular clock stamp a request carries. FCFS compares ages up to half its range
        right, and a latency of its whole range or more would count as a short one: with the default
        that takes 2.8 years at 800 MHz.
    slots : int
        Requests granted and not yet served that the channel can track; a power of two.
    tag_fraction : int
        Fraction bits of start tags, finish tags and virtual time (bytes per unit of weight).
    rate_fraction : int
        Fraction bits of token rates and token levels (bytes per clock, bytes).
    reciprocal_fraction : int
        Fraction bits of the compiled 1/w of a tenant.
    total_reciprocal_fraction : int
        Fraction bits of the compiled 1/W of the live image.
    depth_width : int
        Integer bits of a bucket's depth in bytes.
    clocks_width : int
        Bits of limits counted in clocks (age limit, latency objective).
    lateness : int
        L: how many grants late eligibility sees virtual time, 0 to 3. With 0, order is that of the
        textbook and a request passes an idle channel in two clocks; otherwise it passes in four,
        and the clock can be faster the larger L is.
    grant_interval : int
        Clocks from one grant to the next at the earliest. 1 is the line rate, a grant in every
        clock. 4 to 8 make the channel *compact* (docs/compact.md): the same rules in fewer gates,
        with a ``lateness`` of 0.
    loader_checks : bool
        Whether the image loader judges the values of an image, beside its header, its sections and
        its checksum. Without them a wrong value that software made becomes live.
    monitors : bool
        Whether the channel counts what it grants and serves. Without them its register map has no
        counters.

    Raises
    ------
    TypeError
        If a size is not an integer, or a switch not a bool.
    ValueError
        If a size is out of its range or not a power of two where one is needed, or if a compact
        channel is to be late.
    """

    tenants: int = 16
    queue_depth: int = 16
    beat_bytes: int = 32
    max_beats: int = 16
    bytes_per_clock: int = 64
    clock_khz: int = 800_000
    id_width: int = 12
    address_width: int = 40
    stamp_width: int = 56
    slots: int = 512
    tag_fraction: int = 16
    rate_fraction: int = 16
    reciprocal_fraction: int = 24
    total_reciprocal_fraction: int = 28
    depth_width: int = 28
    clocks_width: int = 20
    lateness: int = 3
    grant_interval: int = 1
    loader_checks: bool = True
    monitors: bool = True

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            require_range(name, getattr(self, name), low, high)
        for name in SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool, not {getattr(self, name)!r}")
        for name in POWERS_OF_TWO:
            value = getattr(self, name)
            if value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value!r}")
        for name, least in (
            ("bytes_per_clock", "beat_bytes"),
            ("reciprocal_fraction", "tag_fraction"),
            ("total_reciprocal_fraction", "tag_fraction"),
        ):
            value, low = getattr(self, name), getattr(self, least)
            if value < low:
                raise ValueError(f"{name} must be at least {least}, {low}, not {value!r}")
        if self.grant_interval != 1 and self.grant_interval not in COMPACT_INTERVALS:
            first, last = COMPACT_INTERVALS[0], COMPACT_INTERVALS[-1]
            raise ValueError(
                f"grant_interval must be 1 or {first}..{last}, not {self.grant_interval!r}"
            )
        if self.compact and self.lateness:
            raise ValueError(
                f"lateness must be 0 with a grant_interval of {self.grant_interval}, "
                f"not {self.lateness!r}"
            )

    @property
    def compact(self) -> bool:
        """Whether the channel is the compact one, which grants once in some clocks."""
        return self.grant_interval > 1

    @property
    def steps(self) -> bool:
        """Whether a request takes a clock for each step into its queue, and a class one, too."""
        return self.compact or self.lateness > 0

    @property
    def l_max(self) -> int:
        """Bytes of the longest request."""
        return self.beat_bytes * self.max_beats

    @property
    def tenant_width(self) -> int:
        """Bits of a tenant tag."""
        return (self.tenants - 1).bit_length()

    @property
    def beats_width(self) -> int:
        """Bits that hold a beat count of 1..``max_beats``."""
        return self.max_beats.bit_length()

    @property
    def slot_width(self) -> int:
        """Bits of a slot number at the memory port."""
        return (self.slots - 1).bit_length()

    @property
    def look_clocks(self) -> int:
        """Clocks from a look at all heads to a grant by it: those of the tournament, if compact.

        A grant changes heads, classes and tags for :data:`UPDATE_CLOCKS`. What is left of the
        interval is the tournament's, and it takes no more than it has steps.
        """
        return min(self.grant_interval - UPDATE_CLOCKS, self.tenant_width + 1)

    @property
    def full_rate_bytes(self) -> int:
        """Bytes of the shortest requests with which grants fill the channel's rate."""
        return self.grant_interval * self.bytes_per_clock

    @property
    def intake_clocks(self) -> int:
        """Clocks from a request's start tag to the first choice that it can take part in.

        What is granted in them is granted without it; see docs/arbiter.md, "What it adds". A
        compact channel makes as many grants in its own, longer time.
        """
        return 2 if self.steps else 0

    @property
    def first_grant_clocks(self) -> int:
        """Clocks from a request's first one in an empty queue to its grant in an idle channel."""
        return UPDATE_CLOCKS + self.look_clocks if self.compact else 0

    @property
    def entry_clocks(self) -> int:
        """Clocks from a head's first one in an empty queue to the first grant it may have, at most.

        0 at line rate, where ``intake_clocks`` is all. In a compact channel at most ``tenants``
        heads get their tags one by one, in all clocks of an interval but two.
        """
        if not self.compact:
            return 0
        turns = -(-self.tenants // (self.grant_interval - 2))
        return turns * self.grant_interval + self.first_grant_clocks

    @property
    def late_grants(self) -> int:
        """Grants by which a head may be late whatever its tags.

        L at line rate; in a compact channel what is granted in ``entry_clocks``.
        """
        return -(-self.entry_clocks // self.grant_interval) if self.compact else self.lateness

    @property
    def untold_heads(self) -> int:
        """Heads at most that may have their start tag and miss a grant that makes V jump.

        One request enters a clock. With L = 0 it is the clock of a grant that is already chosen.
        """
        return self.grant_interval if self.compact else max(1, self.intake_clocks)

    @property
    def visit_round(self) -> int:
        """Clocks from a compact channel's visit to a tenant's buckets to the next one, at most.

        A visit begins in every other clock. A grant takes a clock from it if it meets one. It then
        meets the next one if they are an odd number of clocks apart. A commit may withdraw the
        promotion of looks that are on their way, each of which takes a clock as a grant does.
        """
        odd = self.grant_interval | 1
        return 2 * self.tenants - (-2 * self.tenants // (odd - 1)) + self.look_clocks

    @property
    def token_lateness(self) -> int:
        """Clocks by which classes see tokens late, at most: 0 at line rate.

        In a compact channel it is a round of visits. A visit is left out if a grant of its tenant
        is up to :data:`REFILL_CLOCKS` before or behind it, and what it finds shows as many clocks
        later.
        """
        return self.visit_round + 3 * REFILL_CLOCKS if self.compact else 0

    @property
    def stale_after(self) -> int:
        """Bytes at w = 1: a start tag this far behind virtual time, or further, is stale.

        Heads of a lower class wait while virtual time follows a higher one, and have their turn
        later: that needs room for some requests, not only for one.
        """
        return 8 * self.l_max

    @property
    def tag_lead(self) -> int:
        """Bytes at w = 1 that a promoted head's start tag may be ahead of virtual time."""
        return 2 * self.l_max

    @property
    def tag_width(self) -> int:
        """Bits of a modular tag: a sign, the spread of live tags, and the fraction.

        Stale is what lies in the older half of the past, so that two bits of a difference tell:
        the spread is twice ``stale_after``. The future takes less: ``tag_lead`` and the finish tags
        of two requests after it.
        """
        return 1 + (2 * self.stale_after - 1).bit_length() + self.tag_fraction

    @property
    def rate_width(self) -> int:
        """Bits of a token rate: up to ``bytes_per_clock`` inclusive, and the fraction."""
        return self.bytes_per_clock.bit_length() + self.rate_fraction

    @property
    def reciprocal_width(self) -> int:
        """Bits of 1/w for w >= 1, 1.0 inclusive."""
        return self.reciprocal_fraction + 1

    @property
    def total_reciprocal_width(self) -> int:
        """Bits of 1/W for W >= 1, 1.0 inclusive."""
        return self.total_reciprocal_fraction + 1

    @property
    def credit_width(self) -> int:
        """Bits of port credit in bytes: every slot filled with the longest request, inclusive."""
        return (self.slots * self.l_max).bit_length()

    @property
    def capacity(self) -> int:
        """Bytes per second of the channel."""
        return self.bytes_per_clock * self.clock_khz * 1000

    @property
    def clock_ps(self) -> float:
        """Picoseconds of a clock."""
        return 1e9 / self.clock_khz

    @property
    def admissible_rate(self) -> int:
        """Largest admissible sum of committed rates, in units of 2**-rate_fraction bytes/clock."""
        return int(ADMISSIBLE_SHARE * self.bytes_per_clock * (1 << self.rate_fraction))

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name this configuration in every result file."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]
