"""Registers of the movement engines: a page for each client, and one for their settings."""

import dataclasses
import functools

from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field, Register, RegisterMap
from mcos_hw.registers.movement_codes import Operation, Outcome, Reason, Urgency

__all__ = [
    "BASE_UNIT",
    "LEASE_TICK_CLOCKS",
    "MOVEMENT_MAGIC",
    "MOVEMENT_PAGES",
    "MOVEMENT_PAGE_BYTES",
    "MOVEMENT_TIERS",
    "SETTINGS_PAGE",
    "client_page",
    "movement_map",
]


MOVEMENT_MAGIC = int.from_bytes(b"MMOV", "little")
"""Word that identifies movement engines."""

MOVEMENT_PAGE_BYTES = 4096
"""Bytes of a page: the least that an operating system maps to a client."""

MOVEMENT_PAGES = 32
"""Pages of the registers; those behind the last client's are nobody's."""

SETTINGS_PAGE = 0
"""Page through which the engines are set up."""

MOVEMENT_TIERS = 8
"""Elements of the arrays that have one for each tier."""

LEASE_TICK_CLOCKS = 1024
"""Clocks of a tick of the lease clock."""

BASE_UNIT = 256
"""Bytes of which a tier's base is a multiple: the smallest frame."""


def client_page(tenant: int) -> int:
    """The page of a tenant's client. A command that is given through it is this tenant's."""
    return 1 + tenant


@functools.lru_cache(maxsize=1)
def movement_map() -> RegisterMap:
    """The registers of movement engines, the same for all sizes. Every page has all of them."""
    build = Builder()
    _add_identification(build)
    _add_state(build)
    build.at(0x100)
    _add_command(build)
    build.at(0x140)
    _add_completion(build)
    build.at(0x200)
    _add_settings(build)
    width = (MOVEMENT_PAGE_BYTES * MOVEMENT_PAGES - 1).bit_length()
    registers = RegisterMap(
        name="mcos_movement",
        description="Movement engines. Page 0 is for their settings, page 1 + t for the client of "
        "tenant t. A write through another page is refused.",
        registers=tuple(build.registers),
        address_width=width,
        windows=MOVEMENT_PAGES,
    )
    # The hash is of the names and places, not of what registers read.
    return dataclasses.replace(
        registers, registers=tuple(_hashed(each, registers.hash) for each in build.registers)
    )


def _hashed(register: Register, value: int) -> Register:
    """A register; MAP_HASH with what it reads."""
    if register.name != "MAP_HASH":
        return register
    (field,) = register.fields
    return dataclasses.replace(register, fields=(dataclasses.replace(field, reset=value),))


def _add_identification(build: Builder) -> None:
    build.add(
        "MOVEMENT",
        Access.READ,
        "Identifies movement engines.",
        Field(name="magic", width=32, reset=MOVEMENT_MAGIC, description='"MMOV" read as bytes.'),
    )
    build.add(
        "MAP_HASH",
        Access.READ,
        "Hash of this register map.",
        Field(name="hash", width=32, description="First 32 bits of the map's SHA-256."),
    )
    build.add(
        "SIZES",
        Access.READ,
        "What the engines were built with.",
        Field(name="tenants", width=8, description="Tenant tags, and so clients."),
        Field(name="tiers", low=8, width=4, description="Tiers, from tier 0 on."),
        Field(
            name="commands",
            low=16,
            width=8,
            unit="commands",
            description="Commands that a client may have given whose completions it has not taken.",
        ),
    )
    build.add(
        "FRAME",
        Access.READ,
        "What an object fills.",
        Field(name="bytes", width=32, unit="bytes", description="Bytes of a frame."),
    )
    build.add(
        "PAGE",
        Access.READ,
        "Through which page this is read.",
        Field(name="page", width=8, description="Number of the page."),
        Field(name="client", low=8, width=1, description="It is the page of a client."),
        Field(name="tenant", low=16, width=8, description="Its tenant, if it is."),
    )


def _add_state(build: Builder) -> None:
    build.add(
        "TIERS_UP",
        Access.READ,
        "Tiers that can be reached.",
        Field(name="up", width=MOVEMENT_TIERS, description="Bit t: tier t can be reached."),
    )
    build.add(
        "LEASE_CLOCK",
        Access.READ,
        "The lease clock.",
        Field(
            name="now",
            width=32,
            unit="ticks",
            description=f"Ticks of {LEASE_TICK_CLOCKS} clocks since reset, modulo 2**32.",
        ),
    )
    build.add(
        "REFUSED",
        Access.READ,
        "Writes that were answered with SLVERR, through all pages: no room for a command, no "
        "completion to take, or not for this page.",
        Field(name="count", width=32, unit="writes", description="Since reset, modulo 2**32."),
    )
    build.add(
        "TIER_FRAMES",
        Access.READ,
        "Frames of each tier.",
        Field(name="frames", width=17, unit="frames", description="In all; 0 without the tier."),
        count=MOVEMENT_TIERS,
    )
    build.add(
        "TIER_FREE",
        Access.READ,
        "Free frames of each tier.",
        Field(name="frames", width=17, unit="frames", description="That nobody has."),
        count=MOVEMENT_TIERS,
    )
    build.add(
        "OUTCOMES",
        Access.READ,
        "Commands of all clients that have ended, by outcome: "
        f"{', '.join(f'{each.value} {each.name}' for each in Outcome)}.",
        Field(name="count", width=32, unit="commands", description="Since reset, modulo 2**32."),
        count=MOVEMENT_TIERS,
    )


def _add_command(build: Builder) -> None:
    for half, low in (("LOW", 0), ("HIGH", 32)):
        build.add(
            f"OBJECT_{half}",
            Access.WRITE,
            "Name of the object of commands that are given from now on.",
            Field(name="bits", width=32, description=f"Bits {low + 31}..{low} of the name."),
        )
    build.add(
        "VERSION",
        Access.WRITE,
        "Version, for ACCESS, PREFETCH and PUBLISH; holds until it is written again.",
        Field(name="version", width=32, description="Which; 0 asks for the one published last."),
    )
    build.add(
        "READERS",
        Access.WRITE,
        "Who may read what is published, for PUBLISH; holds until it is written again.",
        Field(name="readers", width=16, description="Bit t: tenant t may."),
    )
    build.add(
        "CHECKSUM",
        Access.WRITE,
        "Checksum of what is published, for PUBLISH; holds until it is written again.",
        Field(name="sum", width=32, description="CRC-32C of the frame, if the command checks."),
    )
    build.add(
        "TERMS",
        Access.WRITE,
        "Lease and tiers of commands; holds until it is written again.",
        Field(name="term", width=16, description="Number of the lease."),
        Field(name="tier", low=16, width=3, description="Where to."),
        Field(name="fallback", low=20, width=3, description="Where to else, for PLACE."),
        Field(name="urgency", low=24, width=3, values=Urgency, description="Which go first."),
        Field(name="checks", low=28, width=1, description="There is a checksum."),
    )
    build.add(
        "COMMAND",
        Access.WRITE,
        "Gives a command, with what the registers before it hold. Refused without room.",
        Field(name="number", width=16, description="Comes back with the completion."),
        Field(name="operation", low=16, width=4, values=Operation, description="What is wanted."),
    )
    build.add(
        "QUEUE",
        Access.READ,
        "Commands and completions of the page's client.",
        Field(
            name="room", width=8, unit="commands", description="That may be given at this moment."
        ),
        Field(name="completions", low=8, width=8, unit="completions", description="That wait."),
    )
    build.add(
        "INTERRUPT",
        Access.WRITE,
        "Whether a completion that waits interrupts; after reset it does not.",
        Field(name="enabled", width=1, description="It does."),
    )


def _add_completion(build: Builder) -> None:
    build.add(
        "COMPLETION",
        Access.READ,
        "The oldest completion of the page's client. Reading changes nothing.",
        Field(name="number", width=16, description="Of the command."),
        Field(name="outcome", low=16, width=3, values=Outcome, description="What became of it."),
        Field(name="reason", low=20, width=5, values=Reason, description="Why."),
        Field(name="valid", low=31, width=1, description="There is one."),
    )
    build.add(
        "COMPLETION_PLACE",
        Access.READ,
        "Where its object is, if it is done or clipped.",
        Field(name="term", width=16, description="Term of the lease."),
        Field(name="tier", low=16, width=3, description="Its tier."),
    )
    build.add(
        "COMPLETION_VERSION",
        Access.READ,
        "What is published of it, if it is done or clipped.",
        Field(name="version", width=32, description="0 if nothing is."),
    )
    for half, low in (("LOW", 0), ("HIGH", 32)):
        build.add(
            f"COMPLETION_ADDRESS_{half}",
            Access.READ,
            "Address of its frame, if it is done or clipped.",
            Field(name="address", width=32, description=f"Bits {low + 31}..{low}."),
        )
    build.add(
        "COMPLETION_TAKE",
        Access.WRITE,
        "Drops the oldest completion, and so makes room. Refused if there is none.",
        Field(name="take", width=1, description="Take it; 0 does nothing."),
    )


def _add_settings(build: Builder) -> None:
    build.add(
        "SET_UP",
        Access.WRITE,
        "Sets which tiers can be reached; none after reset.",
        Field(name="up", width=MOVEMENT_TIERS, description="Bit t: tier t can be reached."),
    )
    build.add(
        "SET_LEASE",
        Access.WRITE,
        "Sets how long a lease holds; 0 after reset.",
        Field(name="ticks", width=31, unit="ticks", description="From its term or renewal on."),
    )
    build.add(
        "SET_BASE_HIGH",
        Access.WRITE,
        "Bits 63..32 of a base; holds for the next write of SET_BASE.",
        Field(name="address", width=32, description="Address bits 63..32."),
    )
    build.add(
        "SET_BASE",
        Access.WRITE,
        "Sets the address of the first frame of a tier; 0 after reset.",
        Field(name="tier", width=3, description="Which tier."),
        Field(name="address", low=8, width=24, description="Address bits 31..8."),
    )
    build.add(
        "SET_QUOTA",
        Access.WRITE,
        "Sets how many frames of a tier a tenant may have; none after reset.",
        Field(name="frames", width=17, unit="frames", description="Frames."),
        Field(name="tier", low=20, width=3, description="Which tier."),
        Field(name="tenant", low=24, width=4, description="Which tenant."),
    )
    build.add(
        "SET_TAG",
        Access.WRITE,
        "Sets who is charged for what is moved for a tenant; itself after reset.",
        Field(name="tag", width=4, description="Tenant tag of the movement."),
        Field(name="tenant", low=8, width=4, description="Which tenant."),
    )
