"""What those who use objects and the movement engines say to each other."""

import enum

from amaranth.lib import data, stream

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import CHECKSUM_WIDTH
from mcos_hw.link.request import structured_stream
from mcos_hw.registers.movement_codes import Operation, Outcome, Reason

__all__ = [
    "ANY_VERSION",
    "COMMAND_WIDTH",
    "LEASE_WIDTH",
    "OBJECT_WIDTH",
    "TERM_WIDTH",
    "VERSION_WIDTH",
    "Operation",
    "Outcome",
    "Reason",
    "State",
    "completion_layout",
    "completion_signature",
    "entry_layout",
    "movement_command_layout",
    "movement_command_signature",
    "place_layout",
    "work_layout",
]


OBJECT_WIDTH = 64
"""Bits of an object's name."""

VERSION_WIDTH = 32
"""Bits of a version: a count that its writer raises with each publication, from 1 on."""

ANY_VERSION = 0
"""Asks for the version that is published last, whichever it is."""

TERM_WIDTH = 16
"""Bits of a term, the number of a lease."""

LEASE_WIDTH = 32
"""Bits of the lease clock. Times that lie less than half of its range apart are compared."""

COMMAND_WIDTH = 16
"""Bits of the number that a client gives a command."""


class State(enum.IntEnum):
    """What happens to an object."""

    RESIDENT = 0
    """It is where its entry says, all of it."""
    STAGING = 1
    """It is being copied to a faster or another tier; it still is where its entry says."""
    EVICTING = 2
    """It is being copied to a slower tier; it still is where its entry says."""
    SCRUBBING = 3
    """Its frame is being overwritten, because another tenant had it; it has no content yet."""


def movement_command_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """A command.

    - ``number``: what its client calls it, for the completion;
    - ``tenant``: whose it is, as the queue that it came from says;
    - ``operation``: an :class:`Operation`;
    - ``object``: the name of what it is about;
    - ``version``: for ACCESS and PREFETCH, the one that is wanted, or :data:`ANY_VERSION`; for
      PUBLISH, the one that is written;
    - ``term``: of the lease, for PUBLISH, RENEW, MOVE, EVICT, PIN, UNPIN and RELEASE;
    - ``tier``, ``fallback``: where to;
    - ``urgency``: a :class:`mcos_hw.link.job.Urgency`;
    - ``readers``: a bit for each tenant, for PUBLISH;
    - ``checksum``, ``checks``: CRC-32C of the frame, for PUBLISH, and whether there is one.
    """
    return data.StructLayout(
        {
            "number": COMMAND_WIDTH,
            "tenant": fabric.channel.tenant_width,
            "operation": 4,
            "object": OBJECT_WIDTH,
            "version": VERSION_WIDTH,
            "term": TERM_WIDTH,
            "tier": 3,
            "fallback": 3,
            "urgency": 3,
            "readers": fabric.channel.tenants,
            "checksum": CHECKSUM_WIDTH,
            "checks": 1,
        }
    )


def movement_command_signature(fabric: FabricConfig, movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`movement_command_layout`."""
    return structured_stream(movement_command_layout(fabric, movement))


def completion_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """The outcome of a command.

    - ``number``, ``tenant``: of the command;
    - ``outcome``, ``reason``: an :class:`Outcome` and its :class:`Reason`;
    - ``tier``, ``address``: where the object is, if it is done or clipped;
    - ``version``, ``term``: the version that is published, and the term of its lease, likewise.
    """
    return data.StructLayout(
        {
            "number": COMMAND_WIDTH,
            "tenant": fabric.channel.tenant_width,
            "outcome": 3,
            "reason": 5,
            "tier": movement.tier_width,
            "address": fabric.channel.address_width,
            "version": VERSION_WIDTH,
            "term": TERM_WIDTH,
        }
    )


def completion_signature(fabric: FabricConfig, movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`completion_layout`."""
    return structured_stream(completion_layout(fabric, movement))


def place_layout(movement: MovementConfig) -> data.StructLayout:
    """A frame: ``tier``, and ``frame`` within it."""
    return data.StructLayout({"tier": movement.tier_width, "frame": movement.frame_width})


def entry_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """What is known of an object.

    - ``object``: its name;
    - ``tenant``: whose it is;
    - ``readers``: a bit for each tenant that may access what is published;
    - ``version``: the one that is published, 0 if none is;
    - ``term``, ``expires``: its lease, and when that ends: a time of the lease clock;
    - ``state``: a :class:`State`; unless it is RESIDENT, ``job`` is the movement under way;
    - ``at``: its frame, see :func:`place_layout`;
    - ``backing``, ``backed``: the frame of a clean copy in a slower tier, and whether it has one;
    - ``pinned``: it may not leave its frame;
    - ``checksum``, ``checks``: CRC-32C of what is published, and whether it is known.
    """
    return data.StructLayout(
        {
            "object": OBJECT_WIDTH,
            "tenant": fabric.channel.tenant_width,
            "readers": fabric.channel.tenants,
            "version": VERSION_WIDTH,
            "term": TERM_WIDTH,
            "expires": LEASE_WIDTH,
            "state": 2,
            "job": movement.job_width,
            "at": place_layout(movement),
            "backing": place_layout(movement),
            "backed": 1,
            "pinned": 1,
            "checksum": CHECKSUM_WIDTH,
            "checks": 1,
        }
    )


def work_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """What the residency table is asked to do.

    - ``command``: a command, or the one that began the movement that has ended;
    - ``settles``: a movement has ended; then:
    - ``job``: its number;
    - ``end``: how, a :class:`mcos_hw.link.job.End`;
    - ``to``: the frame that was written, see :func:`place_layout`;
    - ``sum``: CRC-32C of what was copied.
    """
    return data.StructLayout(
        {
            "command": movement_command_layout(fabric, movement),
            "settles": 1,
            "job": movement.job_width,
            "end": 2,
            "to": place_layout(movement),
            "sum": CHECKSUM_WIDTH,
        }
    )
