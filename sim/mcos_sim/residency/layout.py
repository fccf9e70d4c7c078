"""What compiled policies keep: a record a block, a record a frame, and one array of state."""

import numpy as np
from numpy.typing import DTypeLike

BLOCK: DTypeLike = np.dtype(
    [
        ("frame", "i4"),
        ("gone", "i4"),
        ("stamp", "i4"),
        ("uses", "u1"),
        ("row", "u1"),
        ("list", "u1"),
        ("promise", "u1"),
    ]
)
"""A block, also one that left: 16 bytes of the simulation.

``frame`` is where it is, or :data:`NOWHERE`; ``gone`` counts departures until its own; ``stamp`` is
the tick of its last use; ``uses`` saturates; ``row`` is its row of the table; ``list`` is for
policies with several queues; ``promise`` is the kind of its last hint.
"""

FRAME: DTypeLike = np.dtype(
    [("block", "i4"), ("stamp", "i4"), ("due", "i4"), ("row", "u1"), ("tenant", "u1")]
)
"""A frame, as eviction samples it.

``due`` is the tick of the next use that a hint promised, or :data:`NO_HINT`.
"""

NOWHERE = -1

NO_HINT = -1
"""No hint about the next use."""

NO_USE = (1 << 31) - 2
"""A hint that there is no next use; larger than any distance or tick."""

LONG_GONE = -(1 << 30)

TENANTS = 16
"""Tenants that are told apart; the region after theirs is shared."""

REGIONS = TENANTS + 1
SHARED = TENANTS

FILLED = 0
"""Frames in use of each region."""

BASE = FILLED + REGIONS
"""First frame of each region."""

SIZE = BASE + REGIONS
"""Frames of each region."""

BIAS = SIZE + REGIONS
"""What the priority of each tenant adds to the worth of its blocks in the shared region."""

RANDOM = BIAS + TENANTS
"""State of the pseudo-random numbers, 32 bits."""

GONE = RANDOM + 1
"""Blocks that left, or were refused."""

HEAD = GONE + 1
"""Oldest frame of each queue; or the hand of a ring."""

TAIL = HEAD + 3
"""Youngest frame of each queue."""

COUNT = TAIL + 3
"""Entries of each queue."""

STATE = COUNT + 3
"""Length of the array."""
