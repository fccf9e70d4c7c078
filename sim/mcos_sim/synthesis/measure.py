"""Measuring sizes and targets, step by step."""

import dataclasses
import hashlib
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import mcos_hw
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.targets.port import PortTop
from mcos_sim.errors import UserError
from mcos_sim.synthesis import state
from mcos_sim.synthesis.asap7 import Asap7
from mcos_sim.synthesis.cache import Cache
from mcos_sim.synthesis.design import Design
from mcos_sim.synthesis.ecp5 import Ecp5
from mcos_sim.synthesis.result import Measurement
from mcos_sim.synthesis.tool import versions
from mcos_sim.synthesis.xilinx import UltraScalePlus

__all__ = [
    "DATA_BITS",
    "DESIGNS",
    "OUTSTANDING",
    "SIZES",
    "TARGETS",
    "Plan",
    "Target",
    "default_latenesses",
    "machine",
    "measure",
    "plan",
    "source_hash",
]


SIZES = (4, 8, 16)
"""Tenants by default."""

DESIGNS = ("channel", "port")
"""What can be measured: the channel with registers, loader and monitors, or one AXI port."""

DATA_BITS = (64, 256, 512)
"""Widths of a port by default."""

OUTSTANDING = (PortConfig.reads,)
"""Reads, and writes, under way in a port by default."""

_PORT_BITS = (64, 128, 256, 512)
"""All widths that a port can have."""

TARGETS = ("ecp5", "ultrascale+", "asap7-registers", "asap7-blackbox")
"""Names of targets that are measured by default; ``asap7`` is both of its own."""


class Target(Protocol):
    """Something that a design can be measured for."""

    @property
    def name(self) -> str:
        """Name in the result."""
        ...

    def missing(self) -> str | None:
        """Why it cannot be measured here, or None if it can."""
        ...

    def measure(self, design: Design, *, paths: int) -> Measurement:
        """Measure one design."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    configs : tuple[ChannelConfig, ...]
        Sizes of the channel.
    fabrics : tuple[FabricConfig, ...]
        Sizes of ports, one in each.
    targets : tuple[Target, ...]
        Targets, each for every size.
    left_out : tuple[str, ...]
        Why targets that were asked for are not among them.
    paths : int
        Bundles of paths that each measurement tells about.
    """

    configs: tuple[ChannelConfig, ...]
    targets: tuple[Target, ...]
    left_out: tuple[str, ...]
    paths: int
    fabrics: tuple[FabricConfig, ...] = ()

    @property
    def steps(self) -> int:
        """Steps of :func:`measure`: one a target and size, and the elaboration of each size."""
        return (len(self.configs) + len(self.fabrics)) * (1 + len(self.targets))


def default_latenesses() -> tuple[int, ...]:
    """Textbook order, and the lateness of the default configuration."""
    return tuple(sorted({0, ChannelConfig().lateness}))


def plan(
    *,
    tenants: Sequence[int],
    latenesses: Sequence[int],
    targets: Sequence[str],
    seeds: int,
    paths: int,
    designs: Sequence[str] = ("channel",),
    data_bits: Sequence[int] = DATA_BITS,
    outstanding: Sequence[int] = OUTSTANDING,
    intervals: Sequence[int] = (ChannelConfig.grant_interval,),
) -> Plan:
    """Check what was asked for.

    Parameters
    ----------
    tenants, latenesses : Sequence[int]
        Sizes and latenesses; every pair is measured.
    targets : Sequence[str]
        Names of :data:`TARGETS`, ``ecp5-6`` for the slowest speed grade, or ``asap7``.
    seeds : int
        Placements on ECP5.
    paths : int
        Bundles of paths to tell about.
    designs : Sequence[str]
        Names of :data:`DESIGNS`.
    data_bits : Sequence[int]
        Widths of ports. A port's channel has the most of the tenants and of the latenesses.
    outstanding : Sequence[int]
        Reads, and writes, that a port can have under way; with every width.
    intervals : Sequence[int]
        Grant intervals. Those above 1 are measured with a lateness of 0 only.

    Raises
    ------
    UserError
        If a size, a lateness, an interval, a design or a target does not exist.
    """
    makers: dict[str, Callable[[], Target]] = {
        "ecp5": lambda: Ecp5(seeds=seeds),
        "ecp5-6": lambda: Ecp5(seeds=seeds, grade=6),
        "ultrascale+": UltraScalePlus,
        "asap7-registers": lambda: Asap7(queues="registers"),
        "asap7-blackbox": lambda: Asap7(queues="blackbox"),
    }
    named: dict[str, None] = {}
    for target in targets:
        family = [name for name in TARGETS if name.startswith(f"{target}-")]
        family = [target] if target in makers else family
        if not family:
            raise UserError(
                f"target must be asap7 or one of {', '.join(makers)}, not {target!r}; choose one"
            )
        named.update(dict.fromkeys(family))
    for design in designs:
        if design not in DESIGNS:
            raise UserError(
                f"design must be one of {', '.join(DESIGNS)}, not {design!r}; choose one"
            )
    configs = []
    kinds = [
        (late, interval)
        for interval in dict.fromkeys(intervals)
        for late in dict.fromkeys(latenesses if interval == 1 else (0,))
    ]
    for late, interval in kinds:
        for size in dict.fromkeys(tenants):
            try:
                config = ChannelConfig(tenants=size, lateness=late, grant_interval=interval)
                configs.append(config)
            except ValueError as error:
                raise UserError(f"{error}; choose another one") from None
    widest = max(configs, key=lambda config: (config.tenants, config.lateness))
    fabrics = [
        _port_of(widest, bits, count)
        for bits in dict.fromkeys(data_bits)
        for count in dict.fromkeys(outstanding)
    ]
    chosen = [makers[name]() for name in named]
    reasons = {target.name: target.missing() for target in chosen}
    return Plan(
        configs=tuple(configs) if "channel" in designs else (),
        fabrics=tuple(fabrics) if "port" in designs else (),
        targets=tuple(target for target in chosen if reasons[target.name] is None),
        left_out=tuple(reason for reason in reasons.values() if reason is not None),
        paths=paths,
    )


def measure(
    plan: Plan, *, cache: Cache, on_step: Callable[[str], None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure everything in a plan.

    Parameters
    ----------
    plan : Plan
        What to measure.
    cache : Cache
        Where steps are kept.
    on_step : Callable[[str], None]
        Called with what is begun, before each step.

    Returns
    -------
    targets : list[dict]
        A row a target and size, see :class:`mcos_sim.synthesis.result.Measurement`.
    states : list[dict]
        Bits of state of each size: ``tenants``, ``lateness``, ``grant_interval``, ``bits`` and
        ``bits_per_tenant`` of each group of blocks, ``blocks[]``.
    """
    targets: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    for config in plan.configs:
        kind = f"N = {config.grant_interval}" if config.compact else f"L = {config.lateness}"
        label = f"{config.tenants} tenants, {kind}"
        on_step(f"{label}: elaboration")
        design = Design(config, cache=cache)
        states.append(_state(design))
        for target in plan.targets:
            on_step(f"{label}: {target.name}")
            row = target.measure(design, paths=plan.paths).row
            targets.append({**row, "design": "channel", "config_hash": config.hash})
    for fabric in plan.fabrics:
        bits = 8 * fabric.ports[0].data_bytes
        outstanding = fabric.ports[0].reads
        label = f"port of {bits} bits, {outstanding} under way"
        on_step(f"{label}: elaboration")
        design = Design(fabric.channel, cache=cache, component=PortTop(fabric))
        for target in plan.targets:
            on_step(f"{label}: {target.name}")
            row = target.measure(design, paths=plan.paths).row
            row |= {"design": "port", "data_bits": bits, "outstanding": outstanding}
            row |= {"config_hash": fabric.hash}
            targets.append(row)
    return targets, states


def _port_of(channel: ChannelConfig, bits: int, outstanding: int) -> FabricConfig:
    """A port whose transfers are as wide as the channel's beats, with so many under way."""
    if bits not in _PORT_BITS:
        widths = ", ".join(map(str, _PORT_BITS))
        raise UserError(f"data-bits must be one of {widths}, not {bits!r}; choose another one")
    port = PortConfig(data_bytes=bits // 8)
    beats = min(16, channel.l_max // port.data_bytes)
    rate = {"bytes_per_clock": port.data_bytes, "beat_bytes": port.data_bytes, "max_beats": beats}
    try:
        port = port.with_outstanding(outstanding, max_beats=beats)
    except ValueError as error:
        text = str(error).replace("reads", "outstanding", 1)
        raise UserError(f"{text}; choose another one") from None
    return FabricConfig.around(dataclasses.replace(channel, **rate), ports=(port,))


def source_hash() -> str:
    """Twelve hexadecimal digits that name the hardware's sources."""
    digest = hashlib.sha256()
    root = Path(mcos_hw.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def machine() -> dict[str, Any]:
    """What the result was made with."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "tools": versions(),
    }


def _state(design: Design) -> dict[str, Any]:
    config = design.config
    other = config.tenants // 2 if config.tenants > min(SIZES) else 2 * config.tenants
    blocks = state.count(design.netlist)
    bits = state.summary(blocks)
    smaller = Design(dataclasses.replace(config, tenants=other), cache=design.cache)
    return {
        "tenants": config.tenants,
        "lateness": config.lateness,
        "grant_interval": config.grant_interval,
        "bits": bits,
        "bits_per_tenant": state.per_tenant(
            bits,
            state.summary(state.count(smaller.netlist)),
            tenants=config.tenants,
            other=other,
        ),
        "blocks": state.rows(blocks),
    }
