"""Which core there is: what its registers say of it, held against what software knows."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from mcos_hw.config import CHANNELS, RANGES, ChannelConfig
from mcos_hw.registers import (
    CORE_MAGIC,
    CORE_VERSION,
    ArbiterKind,
    RegisterMap,
    channel_map,
    channels_map,
)
from mcos_policy.client.error import ClientError
from mcos_policy.client.transport import Transport
from mcos_policy.image.encoding import told_sizes

__all__ = [
    "KNOWN_MAPS",
    "UNTOLD",
    "Core",
    "MapOf",
    "discover",
]


MapOf: TypeAlias = Callable[[ChannelConfig], RegisterMap]
"""Makes the register map of a core of given sizes."""

KNOWN_MAPS: tuple[MapOf, ...] = (channel_map,)
"""Maps of the cores that there are; the registers that say what was built are the same in all."""

UNTOLD = ("id_width", "address_width", "stamp_width", "tag_fraction")
"""Sizes that change no register, so that nobody can read them: those of the requesters' side."""

_BUILT = ("CAPABILITY", "LIMITS", "CLOCK", "OPTIONS")
"""Registers that tell sizes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Core:
    """A core that was found.

    Parameters
    ----------
    version : tuple[int, int, int]
        Version of its hardware interface: major, minor, patch.
    arbiter : ArbiterKind
        Who chooses its grants.
    config : ChannelConfig
        Its sizes, those of each channel. Where they were worked out from its registers, those of
        ``UNTOLD`` are the default ones.
    registers : RegisterMap
        Its registers; their hash is the one that it reads.
    """

    version: tuple[int, int, int]
    arbiter: ArbiterKind
    config: ChannelConfig
    registers: RegisterMap

    @property
    def channels(self) -> int:
        """How many channels it has."""
        return self.registers.channels


def discover(
    transport: Transport,
    config: ChannelConfig | None = None,
    *,
    maps: Sequence[MapOf] = KNOWN_MAPS,
) -> Core:
    """Find out which core is behind a transport; only registers are read.

    Parameters
    ----------
    transport : Transport
        The way to its registers.
    config : ChannelConfig or None
        The sizes that it is supposed to have. None works them out from its registers: those that
        they tell, the slots by trying, and the default for every other.
    maps : Sequence[MapOf]
        The register maps that it may have. Of a fabric of several channels, those of as many; none
        of these takes what every such fabric has.

    Raises
    ------
    ClientError
        If it is not MCOS, of another major version, of other sizes, or of a register map that is
        none of these.
    """
    # The registers that say what was built are the same in every map, at the same offsets.
    common = maps[0](ChannelConfig())

    def read(name: str) -> int:
        return transport.read32(common[name].offset)

    magic = read("CORE")
    if magic != CORE_MAGIC:
        raise ClientError(
            f"register CORE must read {CORE_MAGIC:#010x}, which spells MCOS",
            f"{magic:#010x}",
            "give the address of the core; all ones mean that nothing answers",
        )
    fields = common["CORE_VERSION"].unpack(read("CORE_VERSION"))
    version = fields["major"], fields["minor"], fields["patch"]
    if version[0] != CORE_VERSION[0]:
        raise ClientError(
            f"the core must be of version {CORE_VERSION[0]}.x of the hardware interface",
            _dotted(version),
            f"use the software of MCOS with interface {version[0]}.x, or build the core again",
        )
    words = {name: read(name) for name in _BUILT}
    found_hash = read("MAP_HASH")
    candidates = [config] if config is not None else list(_worked_out(common, words))
    channels = common["CAPABILITY"].unpack(words["CAPABILITY"])["channels"]
    maps = _of_channels(channels, candidates[0], maps)
    differing = list(_differing(candidates[0], maps[0], words))
    if differing:
        raise ClientError(
            "the core must have the sizes that software was given: "
            + ", ".join(f"{name} {ours}" for name, ours, _ in differing),
            ", ".join(f"{name} {theirs}" for name, _, theirs in differing),
            "give the sizes that it was built with; mcos.json beside its Verilog has them",
        )
    for candidate in candidates:
        for map_of in maps:
            registers = map_of(candidate)
            # A fabric reads the hash of its channel's map: an image for the one is for the other.
            if found_hash in (registers.hash, registers["MAP_HASH"].reset):
                return Core(
                    version=version,
                    arbiter=ArbiterKind(common["ARBITER"].unpack(read("ARBITER"))["kind"]),
                    config=candidate,
                    registers=registers,
                )
    raise _unknown_map(config, candidates, maps, found_hash, version)


def _of_channels(channels: int, config: ChannelConfig, maps: Sequence[MapOf]) -> Sequence[MapOf]:
    """Those of the maps that are of as many channels, or what all fabrics of so many have."""
    if channels not in CHANNELS:
        raise ClientError(
            f"register CAPABILITY must tell {', '.join(map(str, CHANNELS))} channels",
            str(channels),
            "use the software of the core's version, or check the way to its registers",
        )
    found = [each for each in maps if each(config).channels == channels]
    return found or [functools.partial(channels_map, channels=channels)]


def _worked_out(common: RegisterMap, words: dict[str, int]) -> Iterator[ChannelConfig]:
    """Configurations that the registers leave possible."""
    sizes = told_sizes(words["CAPABILITY"], words["LIMITS"], words["CLOCK"])
    sizes |= {name: bool(bit) for name, bit in common["OPTIONS"].unpack(words["OPTIONS"]).items()}
    least, most = RANGES["slots"]
    usual = ChannelConfig.slots
    counts = [1 << k for k in range(most.bit_length()) if least <= 1 << k <= most]
    try:
        for slots in sorted(counts, key=lambda each: each != usual):
            yield ChannelConfig(**sizes, slots=slots)
    except ValueError as error:
        rule, _, value = str(error).rpartition(", not ")
        raise ClientError(
            f"registers that tell sizes must tell possible ones: {rule}",
            value,
            "use the software of the core's version, or check the way to its registers",
        ) from None


def _differing(
    config: ChannelConfig, map_of: MapOf, words: dict[str, int]
) -> Iterator[tuple[str, int, int]]:
    """Sizes in which a core differs: name, what software was given, what the core tells."""
    registers = map_of(config)
    for name in _BUILT:
        ours = registers[name].unpack(registers[name].reset)
        theirs = registers[name].unpack(words[name])
        for field, value in ours.items():
            if theirs[field] != value:
                yield field, value, theirs[field]


def _unknown_map(
    config: ChannelConfig | None,
    candidates: Sequence[ChannelConfig],
    maps: Sequence[MapOf],
    found: int,
    version: tuple[int, int, int],
) -> ClientError:
    hashes = " or ".join(f"{map_of(candidates[0]).hash:#010x}" for map_of in maps)
    if config is None:
        rule = f"the register map must follow from the sizes that registers tell: {hashes}"
        way_out = "give the sizes that the core was built with; mcos.json beside its Verilog has "
        way_out += "them"
    else:
        rule = f"register MAP_HASH must read {hashes}, that of the sizes that software was given"
        way_out = "give the sizes that the core was built with; a width that no register tells "
        way_out += "differs, or the slots"
    if version != CORE_VERSION:
        way_out += (
            f"; or the core's interface {_dotted(version)} has other registers than "
            f"{_dotted(CORE_VERSION)} of this software"
        )
    return ClientError(rule, f"{found:#010x}", way_out)


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
