"""Pages of the registers of movement engines, and the one that sets them up."""

import enum

from mcos_hw.registers.movement import (
    BASE_UNIT,
    MOVEMENT_MAGIC,
    MOVEMENT_PAGE_BYTES,
    SETTINGS_PAGE,
    movement_map,
)
from mcos_hw.registers.movement_codes import Outcome
from mcos_policy.client.error import ClientError
from mcos_policy.client.transport import Transport

__all__ = [
    "MovementPage",
    "MovementSettings",
    "Tier",
]


class Tier(enum.IntEnum):
    """What tiers are for, from the fastest on. A fabric may have fewer."""

    SRAM = 0
    HBM = 1
    HOST = 2
    CXL = 3
    NVME = 4
    REMOTE = 5


class MovementPage:
    """One page of the registers of movement engines.

    Parameters
    ----------
    transport : Transport
        The way to the registers.
    page : int
        Which page, if the transport reaches all; 0 if it reaches but one, as that of a client does
        to which an operating system mapped its own.

    Raises
    ------
    ClientError
        If there are no movement engines, or their registers are others.
    """

    def __init__(self, transport: Transport, page: int = 0) -> None:
        self.transport = transport
        self.registers = movement_map()
        self._first = MOVEMENT_PAGE_BYTES * page
        for name, expected, way_out in (
            ("MOVEMENT", MOVEMENT_MAGIC, "give the address of movement engines"),
            ("MAP_HASH", self.registers.hash, "use the software of this hardware's version"),
        ):
            (found,) = self.read(name).values()
            if found != expected:
                raise ClientError(
                    f"register {name} must read {expected:#010x}", f"{found:#010x}", way_out
                )
        sizes = self.read("SIZES")
        self.tenants, self.tiers, self.commands = (
            sizes[name] for name in ("tenants", "tiers", "commands")
        )
        self.frame_bytes = self.read("FRAME")["bytes"]
        found = self.read("PAGE")
        self.page = found["page"]
        self.tenant = found["tenant"] if found["client"] else None

    def read(self, name: str, index: int = 0) -> dict[str, int]:
        """The fields of a register, or of an element of an array."""
        register = self.registers[name]
        address = self._first + register.offset + 4 * index
        return register.unpack(self.transport.read32(address))

    def write(self, name: str, **fields: int) -> None:
        """Write a register; fields that are not named are 0."""
        register = self.registers[name]
        self.transport.write32(self._first + register.offset, register.pack(**fields))

    def free(self, tier: int) -> int:
        """Free frames of a tier."""
        return self.read("TIER_FREE", tier)["frames"]

    def outcomes(self) -> dict[Outcome, int]:
        """Commands of all clients that have ended since reset, by outcome."""
        return {outcome: self.read("OUTCOMES", outcome)["count"] for outcome in Outcome}


class MovementSettings(MovementPage):
    """Sets movement engines up: for whoever has page 0, the operating system.

    Parameters
    ----------
    transport, page
        As in :class:`MovementPage`.

    Raises
    ------
    ClientError
        If the page is another one.
    """

    def __init__(self, transport: Transport, page: int = SETTINGS_PAGE) -> None:
        super().__init__(transport, page)
        if self.page != SETTINGS_PAGE:
            raise ClientError(
                f"the page must be {SETTINGS_PAGE}, that of the settings",
                str(self.page),
                "map this one",
            )

    def base(self, tier: int, address: int) -> None:
        """Where the frames of a tier begin."""
        self._require_below("tier", tier, self.tiers)
        if address % self.frame_bytes or not 0 <= address < 1 << 64:
            raise ClientError(
                f"a base must be a multiple of {self.frame_bytes}, the bytes of a frame",
                f"{address:#x}",
                "correct it",
            )
        self.write("SET_BASE_HIGH", address=address >> 32)
        self.write("SET_BASE", tier=tier, address=address % (1 << 32) // BASE_UNIT)

    def up(self, *tiers: int) -> None:
        """Which tiers can be reached; all others cannot."""
        for tier in tiers:
            self._require_below("tier", tier, self.tiers)
        self.write("SET_UP", up=sum(1 << tier for tier in set(tiers)))

    def quota(self, tenant: int, tier: int, frames: int) -> None:
        """How many frames of a tier a tenant may have."""
        self._require_below("tenant", tenant, self.tenants)
        self._require_below("tier", tier, self.tiers)
        self._require_below("frames", frames, self.read("TIER_FRAMES", tier)["frames"] + 1)
        self.write("SET_QUOTA", tenant=tenant, tier=tier, frames=frames)

    def tag(self, tenant: int, tag: int) -> None:
        """Who is charged for what is moved for a tenant."""
        self._require_below("tenant", tenant, self.tenants)
        self._require_below("tag", tag, self.tenants)
        self.write("SET_TAG", tenant=tenant, tag=tag)

    def lease(self, ticks: int) -> None:
        """How long a lease holds, in ticks of the lease clock."""
        self._require_below("ticks", ticks, 1 << 31)
        self.write("SET_LEASE", ticks=ticks)

    def _require_below(self, name: str, value: int, end: int) -> None:
        if not 0 <= value < end:
            raise ClientError(f"{name} must be 0 to {end - 1}", str(value), "correct it")
