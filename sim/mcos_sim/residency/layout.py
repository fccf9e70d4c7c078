"""What compiled policies keep: a record a block, a record a frame, and one array of state."""

import numpy as np
from numpy.typing import DTypeLike

BLOCK: DTypeLike = np.dtype(
    [
        ("frame", "i4"),
        ("gone", "i4"),
        ("stamp", "i4"),
        ("row", "u2"),
        ("uses", "u1"),
        ("promise", "u1"),
    ]
)
"""A block, also one that left: 16 bytes of the simulation.

``frame`` is where it is, or :data:`NOWHERE`; ``gone`` counts departures until its own; ``stamp`` is
the tick of its last use; ``uses`` saturates; ``row`` is its row of the table; ``promise`` is the
kind of its last hint. S3-FIFO has its queues' links and number in some of them.
"""

FRAME: DTypeLike = np.dtype(
    [
        ("block", "i4"),
        ("stamp", "i4"),
        ("due", "i4"),
        ("row", "u2"),
        ("tenant", "u1"),
        ("depth", "u1"),
    ]
)
"""A frame, as eviction samples it.

``due`` is the time of the next use that a hint promised, :data:`NO_USE` or :data:`NO_HINT`;
``depth`` is the logarithm of the block's position in its prompt.
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

OWN_CLASSES = 8
"""Classes of blocks that gates tell apart by themselves, at most."""

CLIENT_CLASSES = 4
"""Classes that a client may put a block in."""

CLASSES = OWN_CLASSES * CLIENT_CLASSES
"""Rows of a tenant in the table."""

ROWS = TENANTS * CLASSES
"""Rows of the table."""

FILLED = 0
"""Frames in use of each region."""

BASE = FILLED + REGIONS
"""First frame of each region."""

SIZE = BASE + REGIONS
"""Frames of each region."""

BIAS = SIZE + REGIONS
"""What is added to the worth of each tenant's blocks in the shared region: its priority, and the
logarithm of its part of all accesses, since its own accesses are its clock."""

CLOCK = BIAS + TENANTS
"""Accesses of each tenant: ages count these, so that no tenant makes another's blocks older."""

GONE = CLOCK + TENANTS
"""Blocks of each region that left or were refused; those of tenants without frames of their own
count in the shared one."""

RANDOM = GONE + REGIONS
"""State of the pseudo-random numbers, 32 bits."""

TODAY = RANDOM + 1
"""First bucket of the calendar that has not passed."""

FARTHEST = TODAY + 1
"""No bucket after this one has a frame."""

QUEUES = 515
"""Queues of frames; those that a policy has not stay empty."""

HEAD = FARTHEST + 1
"""Oldest frame of each queue."""

TAIL = HEAD + QUEUES
"""Youngest frame of each queue."""

COUNT = TAIL + QUEUES
"""Frames of each queue."""

STATE = COUNT + QUEUES
"""Length of the array."""
