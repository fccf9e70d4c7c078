"""The contract: what each tenant is promised, as one model whose values know their origin.

Each key is declared once, in the table that it belongs to. The parser and its hints, the keys that
the docs list, and the comparison of two contracts follow from the declaration.
"""

import dataclasses
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

from mcos_hw.registers import COLOUR_BITS
from mcos_policy.diagnostics import Diagnostic, RuleError, error
from mcos_policy.document import Document
from mcos_policy.hardware import Hardware
from mcos_policy.keys import Key, Table, tables_below
from mcos_policy.kinds import (
    array_of,
    choice,
    integer,
    number,
    quantity,
    size,
    switch,
    table_of,
    text,
)
from mcos_policy.reading import Reader
from mcos_policy.units import DURATION, POWER, RATE

__all__ = [
    "MOST_CHANNELS",
    "TABLES",
    "Bandwidth",
    "Contract",
    "Fabric",
    "Interleaving",
    "Memory",
    "Placement",
    "Power",
    "Tenant",
    "TenantPort",
    "tenant_name",
    "validate",
]


MOST_CHANNELS = 1024
"""Channels of the largest fabric."""

_MOST_PRIORITY = 15
_MOST_ADDRESS_BIT = 63
_MOST_COST = 64
_MOST_PORT = 15
_MOST_ID_BITS = 16
_NAME = re.compile(r"[a-z0-9-]{1,32}")


def tenant_name(value: object) -> str:
    """A tenant's name.

    Raises
    ------
    RuleError
        If it is none.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise RuleError("must be 1 to 32 of the characters a-z, 0-9 and -", "rename the tenant")
    return value


def _colour_bits(value: object) -> tuple[int, ...]:
    rule = (
        f"must be a list of 1 to {COLOUR_BITS} different rising address bits in "
        f"0..{_MOST_ADDRESS_BIT}"
    )
    bits = value if isinstance(value, list) else []
    whole = all(type(bit) is int and 0 <= bit <= _MOST_ADDRESS_BIT for bit in bits)
    if not 1 <= len(bits) <= COLOUR_BITS or not whole or bits != sorted(set(bits)):
        raise RuleError(rule, "write it such as [13, 14, 15]")
    return tuple(bits)


def _listed(bits: tuple[int, ...]) -> str:
    return ", ".join(map(str, bits))


_RATE = quantity(RATE)
_RATE_OR_NONE = quantity(RATE, zero=True)
_DURATION = quantity(DURATION)
_DURATION_OR_NONE = quantity(DURATION, zero=True)
_POWER_OF_FABRIC = quantity(POWER)
_POWER_OR_NONE = quantity(POWER, zero=True)
_SIZE = size()
_POWER = size(power=True)
_SWITCH = switch()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interleaving(Table):
    """How addresses are spread over the channels."""

    grain: Annotated[
        int,
        Key(
            _POWER,
            "consecutive bytes of one channel, a power of two from `l_max` to 128 times that",
        ),
    ]
    hash: Annotated[
        str,
        Key(
            choice("none", "xor"),
            "`xor` takes the address bits above into the choice of the channel, so that no stride "
            "keeps to one",
            default='`"none"`',
        ),
    ] = "none"


def _spread(interleave: Interleaving) -> str:
    return f"{_SIZE.write(interleave.grain)}, hash {interleave.hash}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fabric(Table):
    """What holds for the whole fabric."""

    channels: Annotated[
        int,
        Key(
            integer(1, MOST_CHANNELS, relative=True),
            f"channels that a guarantee is divided over, 1 to {MOST_CHANNELS}",
        ),
    ]
    port_credit: Annotated[
        int | None,
        Key(
            _SIZE,
            "bytes granted and not yet served, per channel; 512 B to 256 KiB",
            default="from `latency`",
        ),
    ] = None
    latency: Annotated[
        Fraction | None,
        Key(
            _DURATION,
            "grant to completion when memory is idle; the credit is what a channel moves in it. "
            "Not together with `port_credit`",
            default='`"180 ns"`',
        ),
    ] = None
    epoch: Annotated[
        Fraction,
        Key(
            _DURATION_OR_NONE,
            "period of the counters, at most 5.3 s; 0 for none. A warning tells the longest one in "
            "which no counter saturates: 41.9 ms for bytes at 51.2 GB/s",
        ),
    ] = Fraction(10, 1000)
    overcommitted: Annotated[bool, Key(_SWITCH, "`priority` goes before fairness")] = False
    pacer: Annotated[bool, Key(_SWITCH, "granted bytes stay at the channel's rate")] = True
    promotion_interval: Annotated[
        int,
        Key(integer(1, relative=True), "at most one grant in this many goes by age, 1 to 255"),
    ] = 16
    depth1: Annotated[
        Fraction,
        Key(
            _DURATION_OR_NONE,
            "a request this soon after the tenant's last response keeps its turn, at most 318 ns; "
            "0 for never",
        ),
    ] = Fraction(20, 10**9)
    interleave: Annotated[
        Interleaving | None,
        Key(
            table_of(Interleaving, write=_spread),
            "below; the image is for hardware with all these channels then, 2 to 32 of them",
            default="none",
        ),
    ] = None
    coordinator: Annotated[
        bool,
        Key(
            _SWITCH,
            "rate that a tenant does not use on one channel goes to others of it, see "
            "[coordinator](coordinator.md); needs `interleave`",
        ),
    ] = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory(Table):
    """The memory behind each channel."""

    rate: Annotated[
        Fraction | None,
        Key(
            _RATE,
            "what the memory of a channel passes whatever it is asked for: the channel's r, which "
            "the pacer holds. From a 64th of the hardware's rate to all of it",
            default="the channel's",
        ),
    ] = None
    stall: Annotated[
        Fraction,
        Key(
            _DURATION_OR_NONE,
            "for how long the memory serves nothing now and then, such as tRFC; delay bounds add "
            "it",
            default='`"0 ns"`',
        ),
    ] = Fraction(0)
    size: Annotated[int | None, Key(_POWER, "bytes behind a channel, a power of two")] = None
    page: Annotated[int, Key(_POWER, "bytes of a page, a power of two", default='`"4 KiB"`')] = 4096
    colour_bits: Annotated[
        tuple[int, ...],
        Key(
            text(_colour_bits, noun="list", write=_listed),
            f"address bits that make the colour of a page, lowest first, at most {COLOUR_BITS}; "
            "above a page, within `size`. With `interleave` bits of the fabric's addresses, else "
            "of a channel's",
        ),
    ] = ()

    @property
    def colours(self) -> int:
        """How many colours there are."""
        return 1 << len(self.colour_bits)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Power(Table):
    """What power the fabric's memory may take."""

    budget: Annotated[
        Fraction | None,
        Key(
            _POWER_OF_FABRIC,
            "power of all channels that is not exceeded for long: over it, tenants of low "
            "priority are held to their guarantees. At least what the guarantees take",
        ),
    ] = None
    baseline: Annotated[
        Fraction,
        Key(
            _POWER_OR_NONE,
            "power of all channels that pass nothing; a GB/s adds 0.023 W",
            default='`"0 W"`',
        ),
    ] = Fraction(0)

    @property
    def asked(self) -> bool:
        """Whether the contract is for hardware with a power governor."""
        return self.budget is not None or bool(self.given)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bandwidth(Table):
    """What a tenant is promised of the fabric's bandwidth.

    A new promise is one field here. Beside it, the hardware needs the register, and
    :func:`mcos_policy.quantize.quantize` the value that the register gets.
    """

    guaranteed: Annotated[
        Fraction,
        Key(
            _RATE_OR_NONE,
            "rate of the committed bucket; 0 for best effort. All together at most 0.85 of "
            "capacity; none more than 255 times the smallest that is not 0",
            unit="GB/s",
        ),
    ]
    burst: Annotated[
        Fraction,
        Key(
            _RATE_OR_NONE,
            "rate of the peak bucket, from `guaranteed` to capacity; best effort may leave it out "
            "for 0",
            unit="GB/s",
        ),
    ]
    burst_duration: Annotated[
        Fraction,
        Key(
            _DURATION_OR_NONE,
            "for how long a full bucket lasts; a bucket holds at least `l_max` and what the "
            "guarantee brings in the tenant's "
            "[longest wait](fairness.md#from-first-offer-to-response), and is under 256 MiB a "
            "channel; best effort may leave it out for 0",
            unit="ms",
        ),
    ]
    priority: Annotated[
        int,
        Key(
            integer(0, _MOST_PRIORITY),
            f"0 is highest, {_MOST_PRIORITY} lowest; for `overcommitted`, `[power]` and the "
            "fixed-priority arbiter",
        ),
    ] = 1
    latency_slo: Annotated[
        Fraction | None,
        Key(
            _DURATION,
            "first offer to response; later ones are counted. 1.25 ns to 1.3 ms. "
            "[Promised](#is-an-objective-promised) if it is at least the tenant's bound",
            unit="us",
        ),
    ] = None
    work_conserving: Annotated[
        bool, Key(_SWITCH, "requests that no bucket covers may use idle slots; else they wait")
    ] = True
    age_limit: Annotated[
        Fraction | None,
        Key(
            _DURATION_OR_NONE,
            "a head that waits this long goes first; from the tenant's delay bound (1024 clocks "
            "for best effort) to 1.3 ms, or 0 for never",
            default="four delay bounds, at least 1024 clocks; 1.3 ms for best effort",
        ),
    ] = None
    cost: Annotated[
        Fraction,
        Key(
            number(1, _MOST_COST, rule=" of at most 24 digits"),
            "what a byte of the tenant takes of the memory at worst, in bytes at the memory's "
            f"rate, 1 to {_MOST_COST}: over 1 if its requests miss rows",
        ),
    ] = Fraction(1)

    @classmethod
    def assumed(cls, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """Best effort may leave out its burst."""
        if found.get("guaranteed") == 0:
            return {"burst": Fraction(0), "burst_duration": Fraction(0)}
        return {}

    @property
    def best_effort(self) -> bool:
        """Whether nothing is guaranteed."""
        return not self.guaranteed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement(Table):
    """Where a tenant's pages are."""

    page_color: Annotated[
        int | None,
        Key(
            integer(1, write=hex),
            "a bit for each colour that its pages may have, such as `0x3`",
            default="as many as the quota needs",
        ),
    ] = None
    page_color_mode: Annotated[
        str,
        Key(
            choice("count", "refuse"),
            "a request outside these colours is counted and served, or counted and waits: "
            "[channel.md](channel.md#colours)",
            default='`"count"`',
        ),
    ] = "count"
    hbm_quota: Annotated[
        int | None,
        Key(_SIZE, "bytes of the whole fabric; takes as many colours as hold them"),
    ] = None


def _ids(value: object) -> tuple[int, int]:
    ids = value if isinstance(value, list) else []
    whole = all(type(each) is int and 0 <= each < 1 << _MOST_ID_BITS for each in ids)
    if len(ids) != 2 or not whole or ids[0] > ids[1]:
        raise RuleError(
            f"must be the first and the last of rising IDs in 0..{(1 << _MOST_ID_BITS) - 1}",
            "write it such as [0, 15]",
        )
    return ids[0], ids[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantPort(Table):
    """IDs with which a tenant's bursts come in at an AXI port."""

    number: Annotated[int, Key(integer(0, _MOST_PORT), "number of the AXI port", name="port")]
    ids: Annotated[
        tuple[int, int],
        Key(
            text(_ids, noun="list", write=_listed),
            "first and last AXI ID of a range, such as `[0, 15]`; an ID of a port is of one tenant",
        ),
    ]
    places: Annotated[
        int | None,
        Key(
            integer(0),
            "places of the tenant's queue that it may fill through this port, in each channel",
            default="the queue divided evenly over the tenant's ports",
        ),
    ] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tenant(Table):
    """One tenant."""

    name: Annotated[str, Key(text(tenant_name), "unique, 1 to 32 of a-z, 0-9 and -")]
    tag: Annotated[
        int | None,
        Key(
            integer(0),
            "its number in hardware, unique, under the number of tags",
            default="the first free one",
        ),
    ] = None
    bandwidth: Annotated[Bandwidth, Key(table_of(Bandwidth), "below")]
    placement: Annotated[Placement, Key(table_of(Placement), "below", default="none")] = Placement()
    ports: Annotated[
        dict[int, TenantPort], Key(array_of(TenantPort), "below", name="port", default="none")
    ] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contract(Table):
    """A whole contract.

    Attributes
    ----------
    tenants : dict[int, Tenant]
        Tenants by their position in the contract, from 0. One that is at fault is left out, and the
        others keep their position.
    """

    hardware: Annotated[Hardware, Key(table_of(Hardware))] = dataclasses.field(
        default_factory=Hardware
    )
    fabric: Annotated[Fabric, Key(table_of(Fabric))]
    memory: Annotated[Memory, Key(table_of(Memory))] = Memory()
    power: Annotated[Power, Key(table_of(Power))] = Power()
    tenants: Annotated[dict[int, Tenant], Key(array_of(Tenant), name="tenant")]

    def tags(self) -> dict[int, int]:
        """Tag of each tenant by position: its own, else the first free one in their order."""
        taken = {tenant.tag for tenant in self.tenants.values()}
        free = (tag for tag in range(len(self.tenants) + len(taken)) if tag not in taken)
        return {
            position: next(free) if tenant.tag is None else tenant.tag
            for position, tenant in self.tenants.items()
        }


TABLES = dict(tables_below(Contract))
"""Tables of a contract by their label."""


def validate(document: Document) -> tuple[Contract | None, list[Diagnostic]]:
    """Check each key of a contract by itself.

    Returns
    -------
    contract : Contract or None
        The contract, without the tenants and the optional keys that are at fault, so that later
        passes can find more; None if too little is left, or the hardware is not known.
    diagnostics : list[Diagnostic]
        An error for every key at fault.
    """
    values = document.values
    if "traffic" in values and not {"fabric", "tenant"} & values.keys():
        told = (
            "a contract must have [fabric] and [[tenant]], and this is a traffic file; give it to "
            "mcos run with --traffic, behind its contract"
        )
        return None, [error(document.origin(()), told)]
    reader = Reader(document, noun="a contract", tables=TABLES)
    contract = reader.read(Contract, ())
    if any(each.origin.path[:1] == ("hardware",) for each in reader.found):
        # Promises are judged by the hardware.
        return None, reader.found
    return contract, reader.found
