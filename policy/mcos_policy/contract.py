"""The contract: what each tenant is promised, as one validated model."""

import copy
import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from mcos_hw.registers import COLOUR_BITS
from mcos_policy.diagnostics import Diagnostic, RuleError
from mcos_policy.fields import integer, quantity, switch, whole_bytes
from mcos_policy.hardware import Hardware
from mcos_policy.keys import Form, diagnose, spellings
from mcos_policy.source import KeyPath, Source
from mcos_policy.units import DURATION, FREQUENCY, RATE, SIZE, Bare, exact

__all__ = [
    "MOST_CHANNELS",
    "QUANTITIES",
    "Bandwidth",
    "Contract",
    "Fabric",
    "Memory",
    "Placement",
    "Tenant",
    "bandwidth_path",
    "tenant_name",
    "validate",
]


_UNIT_OF_KEY = {
    "guaranteed_gbps": "GB/s",
    "burst_gbps": "GB/s",
    "burst_duration_ms": "ms",
    "latency_slo_us": "us",
}
QUANTITIES = {
    **dict.fromkeys(("guaranteed", "burst", "rate"), RATE),
    **dict.fromkeys(("burst_duration", "latency_slo", "age_limit"), DURATION),
    **dict.fromkeys(("latency", "epoch", "depth1", "stall"), DURATION),
    **dict.fromkeys(("port_credit", "size", "page", "hbm_quota"), SIZE),
    "clock": FREQUENCY,
}
"""Kinds of the keys that are a quantity."""

_ATTEMPTS = 3  # as given, without keys at fault, without tenants that now lack a key
MOST_CHANNELS = 1024
"""Channels of the largest fabric."""

_MOST_PRIORITY = 15
_MOST_COLOUR_BITS = COLOUR_BITS
_MOST_ADDRESS_BIT = 63
_COLOUR_MODES = ("count", "refuse")
_MOST_COST = 64
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


def _power(value: object) -> int:
    size = whole_bytes(value)
    if size & (size - 1):
        raise RuleError("must be a power of two", 'write a size such as "4 KiB"')
    return size


def _colour_bits(value: object) -> tuple[int, ...]:
    rule = (
        f"must be a list of 1 to {_MOST_COLOUR_BITS} different rising address bits in "
        f"0..{_MOST_ADDRESS_BIT}"
    )
    bits = value if isinstance(value, list) else []
    whole = all(type(bit) is int and 0 <= bit <= _MOST_ADDRESS_BIT for bit in bits)
    if not 1 <= len(bits) <= _MOST_COLOUR_BITS or not whole or bits != sorted(set(bits)):
        raise RuleError(rule, "write it such as [13, 14, 15]")
    return tuple(bits)


def _colour_mode(value: object) -> str:
    if value not in _COLOUR_MODES:
        shown = " or ".join(f'"{mode}"' for mode in _COLOUR_MODES)
        raise RuleError(f"must be {shown}", "choose one of them")
    return str(value)


def _cost(value: object) -> Fraction:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    cost = exact(Decimal(value)) if number else None
    if cost is None or not 1 <= cost <= _MOST_COST:
        rule = f"must be a number in 1..{_MOST_COST} of at most 24 digits"
        raise RuleError(rule, "write it without quotes")
    return cost


def _by_position(value: object) -> object:
    if isinstance(value, list) and value:
        return dict(enumerate(value))
    if isinstance(value, dict) and value and all(isinstance(key, int) for key in value):
        return value
    rule = "must be an array of at least one table"
    if isinstance(value, dict):
        raise RuleError(rule, "begin each tenant with [[tenant]], in double brackets")
    raise RuleError(rule, "begin each tenant with [[tenant]]")


def _asks_nothing(table: dict[str, object]) -> bool:
    """Whether a table of bandwidth has a guarantee, and it is 0."""
    given = [table[key] for key in ("guaranteed", "guaranteed_gbps") if key in table]
    try:
        return [RATE.parse(each, zero=True) for each in given] == [0]
    except RuleError:
        return False


def _spelled(name: str, with_unit: str) -> AliasChoices:
    return AliasChoices(name, with_unit)


Rate = Annotated[Fraction, quantity(RATE)]
AnyRate = Annotated[Fraction, quantity(RATE, zero=True)]
Duration = Annotated[Fraction, quantity(DURATION)]
Span = Annotated[Fraction, quantity(DURATION, zero=True)]
Size = Annotated[int, PlainValidator(whole_bytes)]
Switch = Annotated[bool, PlainValidator(switch)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fabric(_Table):
    """What holds for the whole fabric.

    Attributes
    ----------
    channels : int
        Channels over which every guarantee is divided.
    port_credit : int or None
        Bytes granted and not yet served on a channel; None derives it from ``latency``.
    latency : Fraction or None
        Seconds from grant to completion when the memory is idle; the default credit is what the
        channel moves in that time.
    epoch : Fraction
        Seconds of a metrics period, 0 for none.
    overcommitted : bool
        Whether priority goes before fairness because capacity is under the sum of guarantees.
    pacer : bool
        Whether grants are kept at the channel's rate.
    promotion_interval : int
        At most one grant in this many is an age promotion.
    depth1 : Fraction
        Seconds within which a tenant's next request keeps its turn, 0 for never.
    """

    channels: Annotated[int, integer(1, MOST_CHANNELS)]
    port_credit: Size | None = None
    latency: Duration | None = None
    epoch: Span = Fraction(10, 1000)
    overcommitted: Switch = False
    pacer: Switch = True
    promotion_interval: Annotated[int, integer(1)] = 16
    depth1: Span = Fraction(20, 10**9)


class Memory(_Table):
    """The memory behind each channel.

    Attributes
    ----------
    rate : Fraction or None
        Bytes per second that a channel's memory passes under the tenants' costs: the rate r of the
        channel, which the pacer holds. None is the hardware's.
    stall : Fraction
        Seconds for which it serves nothing now and then, as for a refresh; delay bounds add it.
    size : int or None
        Bytes behind a channel.
    page : int
        Bytes of a page.
    colour_bits : tuple[int, ...]
        Address bits that make a page's colour, lowest first; none for a memory without colours.
    """

    rate: Rate | None = None
    stall: Span = Fraction(0)
    size: Annotated[int, PlainValidator(_power)] | None = None
    page: Annotated[int, PlainValidator(_power)] = 4096
    colour_bits: Annotated[tuple[int, ...], PlainValidator(_colour_bits)] = ()

    @property
    def colours(self) -> int:
        """How many colours there are."""
        return 1 << len(self.colour_bits)


class Placement(_Table):
    """Where a tenant's pages are.

    Attributes
    ----------
    page_color : int or None
        A bit for each colour that its pages may have; None allots enough for ``hbm_quota``.
    page_color_mode : str
        What becomes of a request outside these colours: ``"count"`` serves and counts it,
        ``"refuse"`` counts it and lets it wait until an image says otherwise.
    hbm_quota : int or None
        Bytes of the whole fabric that it may have.
    """

    page_color: Annotated[int, integer(1)] | None = None
    page_color_mode: Annotated[str, PlainValidator(_colour_mode)] = "count"
    hbm_quota: Size | None = None


class Bandwidth(_Table):
    """What a tenant is promised of the fabric's bandwidth.

    Attributes
    ----------
    guaranteed, burst : Fraction
        Bytes per second of the whole fabric; without a guarantee the tenant is best effort, and its
        burst may be 0 too.
    burst_duration : Fraction
        Seconds for which a saved-up bucket lasts at its rate.
    priority : int
        0 is highest.
    latency_slo : Fraction or None
        Seconds from first offer to response; None counts no violations.
    work_conserving : bool
        Whether requests that no bucket covers may use idle slots.
    age_limit : Fraction or None
        Seconds after which a serviceable head goes first; 0 switches the guard off, None derives
        it from the delay bound, or takes the longest for best effort.
    cost : Fraction
        What a byte of the tenant takes of the memory at worst, in bytes at the memory's rate: over
        1 where its requests miss rows.
    """

    guaranteed: AnyRate = Field(validation_alias=_spelled("guaranteed", "guaranteed_gbps"))
    burst: AnyRate = Field(validation_alias=_spelled("burst", "burst_gbps"))
    burst_duration: Span = Field(validation_alias=_spelled("burst_duration", "burst_duration_ms"))
    priority: Annotated[int, integer(0, _MOST_PRIORITY)] = 1
    latency_slo: Duration | None = Field(
        default=None, validation_alias=_spelled("latency_slo", "latency_slo_us")
    )
    work_conserving: Switch = True
    age_limit: Span | None = None
    cost: Annotated[Fraction, PlainValidator(_cost)] = Fraction(1)

    @model_validator(mode="before")
    @classmethod
    def _name_units(cls, table: object) -> object:
        if not isinstance(table, dict):
            return table
        named = {
            key: Bare(value=value, unit=_UNIT_OF_KEY[key]) if key in _UNIT_OF_KEY else value
            for key, value in table.items()
        }
        if _asks_nothing(named):
            for key in ("burst", "burst_duration"):
                if not any(spelling in named for spelling in spellings(cls)[key]):
                    named[key] = 0
        return named

    @property
    def best_effort(self) -> bool:
        """Whether nothing is guaranteed."""
        return not self.guaranteed


class Tenant(_Table):
    """One tenant.

    Attributes
    ----------
    name : str
        Unique name.
    tag : int or None
        Its number in hardware; None takes the first free one.
    bandwidth : Bandwidth
        Its promise.
    placement : Placement
        Where its pages are.
    """

    name: Annotated[str, PlainValidator(tenant_name)]
    tag: Annotated[int, integer(0)] | None = None
    bandwidth: Bandwidth
    placement: Placement = Placement()


class Contract(_Table):
    """A whole contract.

    Attributes
    ----------
    hardware : Hardware
        Sizes of the hardware that it is for.
    fabric : Fabric
        What holds for the whole fabric.
    memory : Memory
        What is behind each channel.
    tenants : dict[int, Tenant]
        Tenants by their position in the file, from 0.
    """

    hardware: Hardware = Hardware()
    fabric: Fabric
    memory: Memory = Memory()
    tenants: Annotated[dict[int, Tenant], BeforeValidator(_by_position)] = Field(alias="tenant")

    def tags(self) -> dict[int, int]:
        """Tag of each tenant by position: its own, else the first free one in file order."""
        taken = {tenant.tag for tenant in self.tenants.values()}
        free = (tag for tag in range(len(self.tenants) + len(taken)) if tag not in taken)
        return {
            position: next(free) if tenant.tag is None else tenant.tag
            for position, tenant in self.tenants.items()
        }


def bandwidth_path(source: Source, position: int, key: str) -> KeyPath:
    """Where a tenant's bandwidth key stands, in whichever spelling the file uses."""
    table: KeyPath = ("tenant", position, "bandwidth")
    for spelling in spellings(Bandwidth)[key]:
        if (*table, spelling) in source.keys:
            return (*table, spelling)
    return table


def validate(source: Source) -> tuple[Contract | None, list[Diagnostic]]:
    """Check each key of a contract by itself.

    Returns
    -------
    contract : Contract or None
        The contract, without the tenants and the optional keys that are at fault, so that later
        passes can find more; None if too little is left.
    diagnostics : list[Diagnostic]
        An error for every key at fault.
    """
    document = source.document
    if "traffic" in document and not {"fabric", "tenant"} & document.keys():
        text = (
            "a contract must have [fabric] and [[tenant]], and this is a traffic file; give it to "
            "mcos run with --traffic, behind its contract"
        )
        return None, [source.error((), text)]
    diagnostics: list[Diagnostic] | None = None
    for _ in range(_ATTEMPTS):
        try:
            return Contract.model_validate(document), diagnostics or []
        except ValidationError as error:
            faults = error.errors(include_url=False)
        if diagnostics is None:
            diagnostics = diagnose(source, faults, _FORM)
        if any(fault["loc"][:1] == ("hardware",) for fault in faults):
            # Promises are judged by the hardware.
            break
        document = _without(document, faults)
    return None, diagnostics or []


def _without(document: dict[str, Any], faults: list[Any]) -> dict[str, Any]:
    """The document less the keys that are at fault and the tenants that lack a key."""
    rest = copy.deepcopy(document)
    if isinstance(rest.get("tenant"), list):
        rest["tenant"] = dict(enumerate(rest["tenant"]))
    for fault in faults:
        path = fault["loc"]
        if fault["type"] == "missing" and path[0] == "tenant":
            path = path[:2]
        table = rest
        for key in path[:-1]:
            table = table.get(key, {})
        table.pop(path[-1], None)
    return rest


def _enclosing(path: KeyPath) -> tuple[type[BaseModel], str]:
    """The model that a key belongs to, and what its table is called in the file."""
    match path:
        case ("hardware", _):
            return Hardware, "[hardware]"
        case ("fabric", _):
            return Fabric, "[fabric]"
        case ("memory", _):
            return Memory, "[memory]"
        case ("tenant", int(), "bandwidth", _):
            return Bandwidth, "[tenant.bandwidth]"
        case ("tenant", int(), "placement", _):
            return Placement, "[tenant.placement]"
        case ("tenant", int(), _):
            return Tenant, "[[tenant]]"
        case _:
            return Contract, "a contract"


def _label(path: KeyPath) -> str:
    words = [str(key) for key in path if isinstance(key, str)]
    return f"[[{words[0]}]]" if words == ["tenant"] else f"[{'.'.join(words)}]"


def _is_table(path: KeyPath) -> bool:
    return isinstance(path[-1], int) or path == ("tenant",)


_FORM = Form(
    enclosing=_enclosing,
    label=_label,
    is_table=_is_table,
    units=_UNIT_OF_KEY,
    quantities=QUANTITIES,
    tables={
        "[hardware]": Hardware,
        "[fabric]": Fabric,
        "[memory]": Memory,
        "[[tenant]]": Tenant,
        "[tenant.bandwidth]": Bandwidth,
        "[tenant.placement]": Placement,
    },
)
