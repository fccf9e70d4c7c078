"""The same tenants before each arbiter of a board: first those with an objective, then all."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from mcos_hw.registers import ArbiterKind
from mcos_policy.client import Client
from mcos_policy.client.board import Board, GeneratorCounts, Pattern
from mcos_policy.client.metrics import Metrics
from mcos_policy.compiler import Compiled

__all__ = [
    "Comparison",
    "LaneFound",
    "TenantFound",
    "compare",
    "patterns_of",
    "read_lanes",
]


_SETTLING = 0.1
"""Part of each phase that passes before anything counts."""

_SHARE_USED = 0.5
"""Part of the channel that the tenants with an objective ask for together."""

_GENERATOR_LIMIT = 65_535


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantFound:
    """What a tenant had before one arbiter.

    Parameters
    ----------
    answered : int
        Requests that were answered.
    bytes : int
        Their bytes.
    latency_mean, latency_most : float or None
        Mean and longest latency in clocks; None without a request.
    wrong : int
        Beats of read data that were wrong, and answers other than OKAY.
    """

    answered: int
    bytes: int
    latency_mean: float | None
    latency_most: int | None
    wrong: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaneFound:
    """What the tenants had before one arbiter.

    Parameters
    ----------
    arbiter : ArbiterKind
        The arbiter.
    tenants : Mapping[int, TenantFound]
        By tag.
    late : Mapping[int, int] or None
        Answers of an epoch that came later than their tenant's objective, by tag; None if no epoch
        has ended yet.
    """

    arbiter: ArbiterKind
    tenants: Mapping[int, TenantFound]
    late: Mapping[int, int] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was found so far.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    patterns : Mapping[int, Pattern]
        How each tenant asks, by tag.
    alone : tuple[LaneFound, ...]
        Without the tenants that have no objective; empty before that has ended.
    loaded : tuple[LaneFound, ...]
        With all.
    beside : Mapping[str, tuple[LaneFound, ...]]
        Lanes of an earlier comparison, by phase, to be shown beside these.
    """

    compiled: Compiled
    patterns: Mapping[int, Pattern]
    alone: tuple[LaneFound, ...] = ()
    loaded: tuple[LaneFound, ...] = ()
    beside: Mapping[str, tuple[LaneFound, ...]] = dataclasses.field(default_factory=dict)

    @property
    def row(self) -> dict[str, Any]:
        """What a JSON file has of it."""
        return {
            "clock_khz": self.compiled.config.clock_khz,
            "contract": self.compiled.origin,
            "patterns": {
                self.compiled.names[tag]: dataclasses.asdict(each)
                for tag, each in self.patterns.items()
            },
            **{
                phase: {
                    lane.arbiter.name.lower(): {
                        self.compiled.names[tag]: {
                            **dataclasses.asdict(each),
                            "late": None if lane.late is None else lane.late[tag],
                        }
                        for tag, each in lane.tenants.items()
                    }
                    for lane in lanes
                }
                for phase, lanes in (("alone", self.alone), ("loaded", self.loaded))
            },
        }


def read_lanes(row: Mapping[str, Any], compiled: Compiled) -> dict[str, tuple[LaneFound, ...]]:
    """Lanes by phase, of what :attr:`Comparison.row` gave for the same contract.

    Parameters
    ----------
    row : Mapping[str, Any]
        What a JSON file has.
    compiled : Compiled
        The contract.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is something else, or of another contract.
    """
    if row["contract"] != compiled.origin:
        raise ValueError(f"of another contract, {row['contract']['name']}")

    def lane(name: str, tenants: Mapping[str, Mapping[str, Any]]) -> LaneFound:
        rows = {tag: dict(tenants[each]) for tag, each in compiled.names.items()}
        late = {tag: each.pop("late") for tag, each in rows.items()}
        return LaneFound(
            arbiter=ArbiterKind[name.upper()],
            tenants={tag: TenantFound(**each) for tag, each in rows.items()},
            late=None if None in late.values() else late,
        )

    return {
        phase: tuple(lane(name, tenants) for name, tenants in sorted(row[phase].items()))
        for phase in ("alone", "loaded")
    }


def patterns_of(compiled: Compiled) -> dict[int, Pattern]:
    """How the tenants of a contract ask.

    Those with a latency objective ask for eight beats at a pace: together for half of the channel,
    in the proportion of their guarantees. The others ask for as much as they can in longest
    requests, a quarter of which write.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    """
    config = compiled.config
    tags = compiled.contract.tags()
    tenants = {tags[key]: tenant for key, tenant in compiled.contract.tenants.items()}
    paced = {
        tag: tenant.bandwidth.guaranteed
        for tag, tenant in tenants.items()
        if tenant.bandwidth.latency_slo is not None
    }
    total = sum(paced.values()) or 1
    patterns = {}
    for tag in tenants:
        if tag in paced:
            beats = min(8, config.max_beats)
            rate = _SHARE_USED * config.bytes_per_clock * float(paced[tag] / total)
            interval = round(beats * config.beat_bytes / rate) if rate else _GENERATOR_LIMIT
            patterns[tag] = Pattern(interval=min(interval, _GENERATOR_LIMIT), window=4, beats=beats)
        else:
            patterns[tag] = Pattern(window=16, beats=config.max_beats, writes=1)
    return patterns


def compare(
    board: Board,
    compiled: Compiled,
    *,
    wait: Callable[[int], None],
    clocks: int,
    frames: int,
    on_frame: Callable[[Comparison], None],
    beside: Mapping[str, tuple[LaneFound, ...]] | None = None,
) -> Comparison:
    """Load a contract into every lane, let its tenants ask, and read what they had.

    Parameters
    ----------
    board : Board
        The board.
    compiled : Compiled
        The contract; its tags are tenants of the board.
    wait : Callable[[int], None]
        Lets clocks pass.
    clocks : int
        Clocks of each of the two phases.
    frames : int
        Times that counters are read in a phase.
    on_frame : Callable[[Comparison], None]
        Called each time with what was found so far.
    beside : Mapping[str, tuple[LaneFound, ...]] or None
        Lanes of an earlier comparison, by phase.

    Returns
    -------
    Comparison
        What was found in the end; its ``late`` counts are of the epoch that ended last.

    Raises
    ------
    ClientError
        If the device fails, or refuses the image.
    """
    patterns = patterns_of(compiled)
    for tenant in range(board.tenants):
        board.generate(tenant, None)
    for lane in board.lanes:
        lane.load(compiled.image)
    board.map_ports()
    found = Comparison(compiled=compiled, patterns=patterns, beside=beside or {})
    try:
        for phase in ("alone", "loaded"):
            for tag, pattern in patterns.items():
                if phase == "loaded" or pattern.interval:
                    board.generate(tag, pattern)
            wait(round(_SETTLING * clocks))
            board.clear()
            for _ in range(frames):
                wait(clocks // frames)
                lanes = tuple(
                    _lane(lane, counts, patterns, compiled)
                    for lane, counts in zip(board.lanes, board.counts(), strict=True)
                )
                found = dataclasses.replace(found, **{phase: lanes})
                on_frame(found)
        loaded = tuple(
            dataclasses.replace(lane, late=_late(board.metrics(k), patterns))
            for k, lane in enumerate(found.loaded)
        )
        found = dataclasses.replace(found, loaded=loaded)
        on_frame(found)
    finally:
        for tag in patterns:
            board.generate(tag, None)
    return found


def _lane(
    lane: Client,
    counts: tuple[GeneratorCounts, ...],
    patterns: Mapping[int, Pattern],
    compiled: Compiled,
) -> LaneFound:
    """What generators counted, by tag."""
    return LaneFound(
        arbiter=lane.core.arbiter,
        tenants={
            tag: TenantFound(
                answered=counts[tag].answered,
                bytes=counts[tag].answered * pattern.beats * compiled.config.beat_bytes,
                latency_mean=counts[tag].latency_mean,
                latency_most=counts[tag].latency_most if counts[tag].answered else None,
                wrong=counts[tag].wrong,
            )
            for tag, pattern in patterns.items()
        },
    )


def _late(metrics: Metrics, patterns: Mapping[int, Pattern]) -> dict[int, int] | None:
    """Late answers of an epoch; None if none has ended."""
    if not metrics.epoch:
        return None
    return {tag: metrics.tenants[tag].slo_violations.value for tag in patterns}
