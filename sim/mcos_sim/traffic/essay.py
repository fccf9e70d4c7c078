"""The essay's workload: one prefill burst, three decoders; and four tenants always backlogged.

docs/origins.md says what the essay is, docs/traffic.md what each number of the workload is.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_sim.traffic.stream import STEP, Stream
from mcos_sim.traffic.transfer import TRANSFER, fragment, region_base, region_bytes

__all__ = [
    "DECODERS",
    "LOADED",
    "PREFILL",
    "SATURATED",
    "EssayWorkload",
    "backlogged_streams",
    "essay_streams",
]


PREFILL = "prefill"
"""Name of tenant 0."""

DECODERS = ("decode-a", "decode-b", "decode-c")
"""Names of tenants 1, 2, 3."""

FIRST_STEP = 1_000
"""Clock of the first decode step; by then the image has been loaded and committed."""

DEFAULT_CONFIG = ChannelConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class EssayWorkload:
    """One setting of the essay's workload.

    Parameters
    ----------
    name : str
        Name in results.
    decoder_beats, prefill_beats : int
        Beats of each decoder read, of each prefill write.
    step_requests, step_jitter : int
        Requests of a decode step: uniform in ``step_requests - step_jitter`` up to and including
        ``step_requests + step_jitter``, as contexts differ.
    compute_mean, compute_jitter : int
        Clocks between two decode steps: uniform in ``compute_mean - compute_jitter`` up to and
        including ``compute_mean + compute_jitter``.
    prefill_from, prefill_until : float
        When the prefill asks for memory, as shares of the run.
    """

    name: str
    decoder_beats: int
    prefill_beats: int
    step_requests: int
    step_jitter: int
    compute_mean: int
    compute_jitter: int
    prefill_from: float
    prefill_until: float

    def __post_init__(self) -> None:
        if not 0 <= self.step_jitter < self.step_requests:
            raise ValueError(
                f"step_jitter must be in 0..step_requests - 1 ({self.step_requests - 1!r}), "
                f"not {self.step_jitter!r}"
            )
        if not 0 <= self.compute_jitter <= self.compute_mean:
            raise ValueError(
                f"compute_jitter must be in 0..compute_mean ({self.compute_mean!r}), "
                f"not {self.compute_jitter!r}"
            )
        if not 0 <= self.prefill_from < self.prefill_until <= 1:
            raise ValueError(
                "prefill_from and prefill_until must be rising in 0..1, "
                f"not {self.prefill_from!r} and {self.prefill_until!r}"
            )

    def in_wider_beats(self, factor: int) -> "EssayWorkload":
        """The same requests on hardware whose beat has ``factor`` times the bytes.

        Raises
        ------
        ValueError
            If a request would be no whole number of beats.
        """
        beats = {name: getattr(self, name) for name in ("decoder_beats", "prefill_beats")}
        for name, count in beats.items():
            if count % factor:
                raise ValueError(f"{name} must be a multiple of {factor}, not {count}")
        return dataclasses.replace(self, **{k: count // factor for k, count in beats.items()})

    def on_channels(self, channels: int) -> "EssayWorkload":
        """The same demand of each of several channels: steps of more requests."""
        return dataclasses.replace(
            self,
            step_requests=channels * self.step_requests,
            step_jitter=channels * self.step_jitter,
        )

    def on_slower_channel(self, factor: int) -> "EssayWorkload":
        """The same demand, in parts of a channel that passes a ``factor``-th of the bytes a clock.

        Decoders compute for longer, in clocks, so that they use the same part of it.
        """
        return dataclasses.replace(
            self,
            compute_mean=factor * self.compute_mean,
            compute_jitter=factor * self.compute_jitter,
        )


LOADED = EssayWorkload(
    name="loaded",
    decoder_beats=4,
    prefill_beats=4,
    step_requests=160,
    step_jitter=0,
    compute_mean=80,
    compute_jitter=40,
    prefill_from=0.03,
    prefill_until=0.54,
)
"""Three decoders alone use 70 to 75 % of the channel."""

SATURATED = EssayWorkload(
    name="saturated",
    decoder_beats=16,
    prefill_beats=16,
    step_requests=96,
    step_jitter=6,
    compute_mean=0,
    compute_jitter=0,
    prefill_from=0.03,
    prefill_until=0.54,
)
"""Three decoders alone would use more than the whole channel."""


def _sequential(op: Op, tag: int, count: int, size: int, config: ChannelConfig) -> np.ndarray:
    """``count`` transfers of ``size`` bytes one behind the other, around the tenant's region."""
    places = region_bytes(config) // size
    transfers = np.empty(count, TRANSFER)
    transfers["op"] = op
    transfers["beats"] = size // config.beat_bytes
    transfers["address"] = region_base(tag, config)
    transfers["address"] += np.arange(count, dtype=np.uint64) % np.uint64(places) * np.uint64(size)
    return transfers


def _decoder(
    scenario: EssayWorkload,
    tag: int,
    name: str,
    *,
    clocks: int,
    window: int,
    rng: np.random.Generator,
    config: ChannelConfig,
    channels: int,
) -> Stream:
    rate = channels * config.bytes_per_clock
    size = scenario.decoder_beats * config.beat_bytes
    fewest = scenario.step_requests - scenario.step_jitter
    fewest_clocks = fewest * size / rate + scenario.compute_mean - scenario.compute_jitter
    count = math.ceil(clocks / fewest_clocks) + 1
    steps = np.zeros(count, STEP)
    most = scenario.step_requests + scenario.step_jitter
    steps["count"] = rng.integers(fewest, most, count, endpoint=True)
    steps["first"] = np.cumsum(steps["count"]) - steps["count"]
    reads = _sequential(Op.READ, tag, int(steps["count"].sum()), size, config)
    requests = fragment(reads, longest=scenario.decoder_beats, config=config)
    # Started together, decoders without compute time would wait for their last responses together.
    stagger = (tag - 1) * scenario.step_requests * size // rate
    steps["ready"][0] = FIRST_STEP + stagger
    low = scenario.compute_mean - scenario.compute_jitter
    high = scenario.compute_mean + scenario.compute_jitter
    steps["compute"] = rng.integers(low, high, count, endpoint=True)
    return Stream(
        name=name,
        tag=tag,
        window=window,
        closed=True,
        requests=requests,
        steps=steps,
        until=clocks,
    )


def essay_streams(
    scenario: EssayWorkload,
    *,
    clocks: int = 1_600_000,
    prefill_window: int = 1200,
    decoder_window: int = 16,
    seed: int = 1,
    config: ChannelConfig = DEFAULT_CONFIG,
    channels: int = 1,
) -> list[Stream]:
    """One prefill tenant (tag 0) that writes, three decoders (tags 1 to 3) that read in steps.

    Every stream has enough to ask for, however fast it is served: a decoder until clock
    ``clocks``, the prefill, whose writes are one single step, until its interval ends. Compute
    times are drawn per decoder, so that the decoders' phases drift against each other; they start
    one after the other, each by the time that a step takes at the channel's full rate.

    Parameters
    ----------
    scenario : EssayWorkload
        :data:`LOADED` or :data:`SATURATED`, or another.
    clocks : int
        Length of the run.
    prefill_window, decoder_window : int
        Requests outstanding; the essay's prefill has 1,200.
    seed : int
        Seed of the compute times.
    config : ChannelConfig
        The channel.
    channels : int
        Channels whose bytes all of them together can ask for.

    Returns
    -------
    list of Stream
        In order of tag.
    """
    first = round(scenario.prefill_from * clocks)
    until = round(scenario.prefill_until * clocks)
    size = scenario.prefill_beats * config.beat_bytes
    count = (until - first) * channels * config.bytes_per_clock // size + prefill_window + 1
    writes = _sequential(Op.WRITE, 0, count, size, config)
    prefill = Stream(
        name=PREFILL,
        tag=0,
        window=prefill_window,
        closed=False,
        requests=fragment(writes, longest=scenario.prefill_beats, config=config),
        steps=np.array([(0, count, first, 0)], STEP),
        until=until,
    )
    decoders = [
        _decoder(
            scenario,
            tag,
            name,
            clocks=clocks,
            window=decoder_window,
            rng=np.random.default_rng((seed, tag)),
            config=config,
            channels=channels,
        )
        for tag, name in enumerate(DECODERS, start=1)
    ]
    return [prefill, *decoders]


def backlogged_streams(
    names: Sequence[str] = (PREFILL, *DECODERS),
    *,
    grants: int = 100_000,
    window: int = 256,
    seed: int = 1,
    config: ChannelConfig = DEFAULT_CONFIG,
) -> list[Stream]:
    """Tenants by order of tag, each with everything ready at clock 0: ``grants`` requests each.

    None of them runs dry within the first ``grants`` grants, whatever its share. Sizes are uniform
    in 1 beat to ``max_beats``; each request has its own ``l_max`` bytes of address space, so that
    none crosses a 4 KiB boundary.

    Parameters
    ----------
    names : Sequence[str]
        Tenants; the essay's four by default.
    grants : int
        Length of the phase.
    window : int
        Requests each tenant keeps outstanding; more than its share of the bandwidth-delay product
        and its queue together, else it is not backlogged.
    seed : int
        Seed of the sizes.
    config : ChannelConfig
        The channel.

    Returns
    -------
    list of Stream
        In order of tag; the first one writes, the others read.
    """
    streams = []
    for tag, name in enumerate(names):
        op = Op.READ if tag else Op.WRITE
        transfers = _sequential(op, tag, grants, config.l_max, config)
        rng = np.random.default_rng((seed, tag))
        transfers["beats"] = rng.integers(1, config.max_beats, grants, endpoint=True)
        streams.append(
            Stream(
                name=name,
                tag=tag,
                window=window,
                closed=False,
                requests=fragment(transfers, longest=config.max_beats, config=config),
                steps=np.array([(0, grants, 0, 0)], STEP),
            )
        )
    return streams
