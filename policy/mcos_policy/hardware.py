"""The hardware that a contract is for: the table ``[hardware]``, options, and the sizes of both."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

from mcos_hw.config import COMPACT_INTERVALS, POWERS_OF_TWO, RANGES, SWITCHES, ChannelConfig
from mcos_policy.diagnostics import RuleError
from mcos_policy.keys import Key, Table, declared
from mcos_policy.kinds import Kind, switch
from mcos_policy.units import FREQUENCY

__all__ = [
    "OPTIONS",
    "Hardware",
    "HardwareMismatch",
    "choose_config",
    "hardware_words",
    "option_words",
]


def _size(name: str) -> Kind:
    """An integer in the range of a size of :class:`ChannelConfig`."""
    low, high = RANGES[name]
    power = name in POWERS_OF_TWO
    rule = f"must be {'a power of two' if power else 'an integer'} in {low}..{high}"

    def parse(value: object) -> int:
        if type(value) is not int or not low <= value <= high or (power and value & (value - 1)):
            raise RuleError(rule, "write a whole number without quotes")
        return value

    return Kind(noun="integer", parse=parse, relative=True)


def _interval(value: object) -> int:
    first, last = COMPACT_INTERVALS[0], COMPACT_INTERVALS[-1]
    if type(value) is not int or (value != 1 and value not in COMPACT_INTERVALS):
        raise RuleError(
            f"must be 1, or an integer in {first}..{last}", "write a whole number without quotes"
        )
    return value


_INTERVAL = Kind(noun="integer", parse=_interval, relative=True)


def _kilohertz(value: object) -> int:
    hertz = FREQUENCY.parse(value)
    low, high = RANGES["clock_khz"]
    kilohertz = hertz / 1000
    if kilohertz.denominator != 1 or not low <= kilohertz <= high:
        shown = " to ".join(FREQUENCY.show(Fraction(1000 * each)) for each in (low, high))
        raise RuleError(
            f"must be a whole number of kHz, {shown}", f'write it such as "{FREQUENCY.example}"'
        )
    return int(kilohertz)


def _megahertz(kilohertz: int) -> str:
    return FREQUENCY.show(Fraction(1000 * kilohertz))


_CLOCK = Kind(noun="frequency", parse=_kilohertz, write=_megahertz, quantity=FREQUENCY, scale=1000)


def _key(kind: Kind, doc: str, default: str) -> Key:
    return Key(kind, doc, default=f"`{default}`")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hardware(Table):
    """Sizes that a contract's table ``[hardware]``, or the options of a command, ask for.

    What neither names is as in :class:`mcos_hw.config.ChannelConfig`. The clock is in kHz.
    """

    clock: Annotated[
        int | None,
        _key(
            _CLOCK,
            "of the channel, 1 MHz to 4 GHz in whole kHz. It turns every time and every rate of "
            "the contract into clocks and bytes per clock",
            f'"{_megahertz(ChannelConfig.clock_khz)}"',
        ),
    ] = None
    bytes_per_clock: Annotated[
        int | None,
        _key(
            _size("bytes_per_clock"),
            "what the channel passes in a clock, at least a beat, at most 1024. Times `clock` it "
            "is the hardware's rate",
            str(ChannelConfig.bytes_per_clock),
        ),
    ] = None
    beat_bytes: Annotated[
        int | None,
        _key(
            _size("beat_bytes"),
            "bytes of a beat, a power of two from 8 to 128",
            str(ChannelConfig.beat_bytes),
        ),
    ] = None
    max_beats: Annotated[
        int | None,
        _key(
            _size("max_beats"),
            "beats of the longest request, a power of two from 2 to 16",
            str(ChannelConfig.max_beats),
        ),
    ] = None
    slots: Annotated[
        int | None,
        _key(
            _size("slots"),
            "commands that memory may have at once, a power of two from 16 to 4096. A command's "
            "ID has as many bits: `64` fits the 6 bits of AMD's HBM ports",
            str(ChannelConfig.slots),
        ),
    ] = None
    id_width: Annotated[
        int | None,
        _key(
            _size("id_width"),
            "bits of a requester's own number of a request, 1 to 16",
            str(ChannelConfig.id_width),
        ),
    ] = None
    lateness: Annotated[
        int | None,
        _key(
            _size("lateness"),
            "grants by which eligibility is late, 0 to 3: [arbiter.md](arbiter.md)",
            str(ChannelConfig.lateness),
        ),
    ] = None
    grant_interval: Annotated[
        int | None,
        _key(
            _INTERVAL,
            "clocks from one grant to the next: 1 is the line rate, 4 to 8 the compact channel for "
            "FPGAs, whose `lateness` is 0: [compact.md](compact.md)",
            str(ChannelConfig.grant_interval),
        ),
    ] = None
    loader_checks: Annotated[
        bool | None,
        _key(
            switch(),
            "the loader refuses an image whose values break a rule; without it such an image "
            "becomes live. The compiler keeps the rules, so it is for hardware that only takes "
            "compiled images",
            str(ChannelConfig.loader_checks).lower(),
        ),
    ] = None
    monitors: Annotated[
        bool | None,
        _key(
            switch(),
            "the channel counts what it grants and serves, by tenant and epoch; without them its "
            "register map has no counters",
            str(ChannelConfig.monitors).lower(),
        ),
    ] = None

    def asked(self) -> dict[str, int]:
        """What is asked for, by key."""
        values = ((key, getattr(self, key)) for key in declared(Hardware))
        return {key: value for key, value in values if value is not None}

    @property
    def tells_rate(self) -> bool:
        """Whether both factors of the channel's rate are given."""
        return self.clock is not None and self.bytes_per_clock is not None


OPTIONS: Mapping[str, str] = {
    key: f"--{'no-' if key in SWITCHES else ''}{key.replace('_', '-')}"
    for key in declared(Hardware)
}
"""Option of each key on the command line; that of a part leaves it out."""

_FIELDS = {"clock": "clock_khz"}
"""Fields of :class:`ChannelConfig` that are not called as their key."""


class HardwareMismatch(ValueError):  # noqa: N818  (what happened, not who erred)
    """Sizes that cannot be together.

    Parameters
    ----------
    faults : Mapping[str, str]
        What is wrong with each key at fault.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = dict(faults)


def choose_config(contract: Hardware, options: Hardware, default: ChannelConfig) -> ChannelConfig:
    """The sizes that a contract and the options of a command ask for together.

    Parameters
    ----------
    contract : Hardware
        The contract's table.
    options : Hardware
        The options.
    default : ChannelConfig
        What neither names, and the number of tenants. A compact channel's lateness is 0.

    Raises
    ------
    HardwareMismatch
        If an option contradicts the contract, or a size does not go with another one.
    """
    asked, told = contract.asked(), options.asked()
    faults = {
        key: f"{key} must be {_told(key, told[key])}, not {_shown(key, asked[key])}; change one of "
        "them, or leave the option out"
        for key in asked.keys() & told.keys()
        if asked[key] != told[key]
    }
    if faults:
        raise HardwareMismatch({key: faults[key] for key in asked if key in faults})
    sizes = {_FIELDS.get(key, key): value for key, value in (asked | told).items()}
    rate = sizes.get("bytes_per_clock", default.bytes_per_clock)
    beat = sizes.get("beat_bytes", default.beat_bytes)
    if rate < beat:
        key = "bytes_per_clock" if "bytes_per_clock" in sizes else "beat_bytes"
        rule = f"bytes_per_clock must be at least beat_bytes, {beat}, not {rate}"
        way_out = f"make beats of {1 << (rate.bit_length() - 1)} bytes or less"
        raise HardwareMismatch({key: f"{rule}; {way_out}"})
    interval = sizes.get("grant_interval", default.grant_interval)
    if interval > 1 and sizes.setdefault("lateness", 0):
        rule = f"lateness must be 0 with a grant_interval of {interval}, not {sizes['lateness']}"
        raise HardwareMismatch({"lateness": f"{rule}; leave it out, or make grant_interval 1"})
    return dataclasses.replace(default, **sizes)


def _told(key: str, value: int) -> str:
    """A value of an option, with the option."""
    shown = _shown(key, value)
    return f"{shown} with {OPTIONS[key]}" if key in SWITCHES else f"the {shown} of {OPTIONS[key]}"


def _shown(key: str, value: int) -> str:
    """A value as a contract has it."""
    return declared(Hardware)[key].kind.write(value)


def hardware_words(config: ChannelConfig) -> str:
    """The hardware in a few words: what a figure in bytes per second supposes."""
    left_out = [name.replace("_", " ") for name in SWITCHES if not getattr(config, name)]
    words = (
        f"{config.tenants} tags, {_shown('clock', config.clock_khz)}, {config.bytes_per_clock} B a "
        f"clock, beats of {config.beat_bytes} B, {config.slots} slots"
    )
    if config.compact:
        words += f", a grant in {config.grant_interval} clocks"
    return ", without ".join((words, *left_out))


def option_words(config: ChannelConfig) -> list[str]:
    """Words of a command line that ask for hardware of these sizes; none for the default ones."""
    words = ["--tenants", str(config.tenants)]
    default: Any = ChannelConfig()
    for key, option in OPTIONS.items():
        field = _FIELDS.get(key, key)
        value = getattr(config, field)
        # A compact channel is never late.
        if value != getattr(default, field) and not (key == "lateness" and config.compact):
            words += [option] if key in SWITCHES else [option, _shown(key, value)]
    return words
