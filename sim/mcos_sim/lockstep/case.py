"""Random cases: contracts, commits under way, and traffic that looks for corners."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_hw.control.image import HEADER_WORDS
from mcos_hw.registers import COLOUR_BITS, ArbiterKind, channel_map
from mcos_policy.image import Image, encode
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.compiled.hardware import load_clocks
from mcos_sim.scenario import FIRST_CLOCK, LIVE_CLOCK, Scenario
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "Case",
    "Commit",
    "random_case",
    "random_settings",
]


_COMMIT_ROOM = 300
"""Clocks between a commit and the first write of the next image, at least."""

_LONG_EPOCH = 66_000
"""Clocks of an epoch that a counter of 16 bits does not reach."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Commit:
    """An image that becomes live in a clock.

    Parameters
    ----------
    clock : int
        First clock in which it is live.
    settings : Settings
        What it sets.
    image : Image
        The same as words.
    flipped : int or None
        Bit of the image's payload that is wrong when it is loaded, so that it is refused and
        changes nothing; None for a good one.
    """

    clock: int
    settings: Settings
    image: Image
    flipped: int | None = None

    @property
    def loaded(self) -> tuple[int, ...]:
        """The words that are loaded."""
        if self.flipped is None:
            return self.image.words
        words = list(self.image.words)
        words[HEADER_WORDS + self.flipped // 32] ^= 1 << self.flipped % 32
        return tuple(words)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One run of both sides.

    Parameters
    ----------
    seed : int
        What it was made from.
    scenario : Scenario
        Sizes, streams and memory; its image is that of the first commit.
    commits : tuple[Commit, ...]
        In the order of their clocks.
    warm_clocks : int
        Clocks of traffic that the hardware has had when it is reset and the case begins.
    """

    seed: int
    scenario: Scenario
    commits: tuple[Commit, ...]
    warm_clocks: int = 0

    @property
    def accepted(self) -> tuple[Commit, ...]:
        """Those whose images are good."""
        return tuple(each for each in self.commits if each.flipped is None)


def random_case(
    config: ChannelConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS, seed: int, clocks: int
) -> Case:
    """The case of a seed.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses.
    seed : int
        Seed of everything.
    clocks : int
        Clocks with traffic.
    """
    rng = np.random.default_rng(seed)
    spoils = np.random.default_rng((seed, 1))
    rare = np.random.default_rng((seed, 2))
    tags = range(config.tenants)
    ages = [_stamp_age(config, rare) for _ in tags]
    warm = int(rare.integers(1, clocks)) if rare.random() < 0.3 else 0
    first = random_settings(config, rng, ages=ages)
    begin = FIRST_CLOCK
    if rare.random() < 0.02:
        # Nothing is asked for until a long epoch is over.
        begin += _LONG_EPOCH
        channel = dataclasses.replace(first.channel, epoch_clocks=_LONG_EPOCH)
        first = dataclasses.replace(first, channel=channel)
    end = begin + clocks
    commits = [_commit(LIVE_CLOCK, first, config)]
    spacing = load_clocks(config) + _COMMIT_ROOM
    clock = begin
    while rng.random() < 0.8:
        clock += spacing + int(rng.integers(1, spacing))
        if clock >= end - spacing:
            break
        settings = random_settings(config, rng, ages=ages, like=commits[-1])
        commits.append(_commit(clock, settings, config))
        if spoils.random() < 0.25:
            bit = int(spoils.integers(32 * len(commits[-1].image.payload)))
            commits[-1] = dataclasses.replace(commits[-1], flipped=bit)
    # In the end no epoch is latched any more, so that its registers can be read at leisure.
    last = commits[-1].settings
    channel = dataclasses.replace(last.channel, epoch_clocks=0)
    if end - 32 - load_clocks(config) > commits[-1].clock:
        commits.append(_commit(end - 32, dataclasses.replace(last, channel=channel), config))

    mood = rng.choice(("crowded", "mixed", "sparse"))
    streams = [
        dataclasses.replace(_stream(tag, mood, begin, clocks, config, rng), stamp_age=ages[tag])
        for tag in tags
        if rng.random() < 0.9
    ]
    credit = max(commit.settings.channel.port_credit for commit in commits)
    scenario = Scenario(
        name=f"case-{seed}",
        arbiter=arbiter,
        config=config,
        image=commits[0].image.words,
        streams=tuple(streams),
        clocks=end,
        memory_latency=int(rng.choice((1, 2, 10, 80, 200))),
        memory_credit=credit,
        seed=seed,
        offer_pause=float(rng.choice((0.0, 0.0, 0.1, 0.7))),
        command_pause=float(rng.choice((0.0, 0.0, 0.1, 0.7))),
    )
    return Case(seed=seed, scenario=scenario, commits=tuple(commits), warm_clocks=warm)


def _commit(clock: int, settings: Settings, config: ChannelConfig) -> Commit:
    image = encode(config, channel_map(config), settings, clock)
    return Commit(clock=clock, settings=settings, image=image)


def random_settings(
    config: ChannelConfig,
    rng: np.random.Generator,
    *,
    ages: Sequence[int] = (),
    like: Commit | None = None,
) -> Settings:
    """Settings that the loader accepts, with extremes more often than chance would have them.

    ``like`` is what they may keep parts of. ``ages`` are those of each tenant's stamps, near which
    some objectives lie.
    """
    colours = rng.spawn(1)[0]
    weights = _weights(config, rng)
    rates = _rates(config, rng)
    few = rng.random() < 0.3
    tenants = []
    for i in range(config.tenants):
        if rng.random() < (0.5 if few else 0.08):
            tenants.append(TenantSettings())
            continue
        if like is not None and rng.random() < 0.3 and like.settings.tenants[i].enable:
            old = like.settings.tenants[i]
            tenants.append(dataclasses.replace(old, committed_rate=int(rates[i])))
            weights[i] = max(1, round((1 << config.reciprocal_fraction) / old.inverse_weight))
            if old.peak_rate < rates[i]:
                tenants[-1] = dataclasses.replace(tenants[-1], peak_rate=int(rates[i]))
            continue
        peak = int(rates[i] * rng.choice((1, 1.5, 4)))
        depth = int(config.l_max * rng.choice((1, 1, 2, 8, 100)))
        tenants.append(
            TenantSettings(
                enable=1,
                work_conserving=int(rng.random() < 0.6),
                priority=int(rng.integers(0, rng.choice((4, 16)))),
                committed_rate=int(rates[i]),
                committed_depth=depth,
                peak_rate=min(peak, config.bytes_per_clock << config.rate_fraction),
                peak_depth=int(depth * rng.choice((1, 2, 3))),
                inverse_weight=(1 << config.reciprocal_fraction) // int(weights[i]),
                age_limit=int(rng.choice((0, 0, 16, 100, 1000, 20_000))),
                latency_slo=int(rng.choice((0, int(rng.integers(8, 60)), 300, 3000))),
            )
        )
    _colour(tenants, colours)
    for i, age in enumerate(ages):
        if age and tenants[i].enable and colours.random() < 0.8:
            near = (
                age if colours.random() < 0.5 else 1 << int(colours.integers(config.clocks_width))
            )
            slo = min(near + int(colours.integers(-20, 300)), (1 << config.clocks_width) - 1)
            tenants[i] = dataclasses.replace(tenants[i], latency_slo=max(slo, 0))
    total = sum(int(weights[i]) for i, each in enumerate(tenants) if each.enable)
    r = config.bytes_per_clock << config.rate_fraction
    channel = ChannelSettings(
        pacer_enable=int(rng.random() < 0.5),
        overcommitted=int(rng.random() < 0.2),
        pacer_rate=int(r * rng.choice((1, 1, 0.9, 0.25))),
        port_credit=int(config.l_max * rng.choice((1, 2, 9, 30, 500))),
        inverse_total_weight=(1 << config.total_reciprocal_fraction) // max(1, total),
        depth1_clocks=int(rng.choice((0, 4, 64, 255))),
        promotion_interval=int(rng.choice((1, 2, 16, 255))),
        epoch_clocks=int(rng.choice((0, 1, 2, 7, 100, 500, 3000))),
        **{f"colour_bit_{k}": int(colours.integers(64)) for k in range(COLOUR_BITS)},
    )
    return Settings(channel=channel, tenants=tuple(tenants))


def _stamp_age(config: ChannelConfig, rng: np.random.Generator) -> int:
    """Clocks that a tenant's stamps are before its offers: none, or some near a power of two."""
    if rng.random() < 0.6:
        return 0
    # No two requests are half the range of a stamp apart.
    longest = config.stamp_width - 2
    power = int(rng.integers(8, rng.choice((config.clocks_width + 2, longest))))
    return (1 << power) + int(rng.integers(-200, 200))


def _colour(tenants: list[TenantSettings], rng: np.random.Generator) -> None:
    """Give enabled tenants colours: all of them or some, refusing the others or not."""
    everything = (1 << (1 << COLOUR_BITS)) - 1
    refusing = rng.random() < 0.3
    for i, tenant in enumerate(tenants):
        if tenant.enable:
            some = int(rng.integers(1, everything + 1)) | int(rng.integers(everything + 1))
            tenants[i] = dataclasses.replace(
                tenant,
                colours=everything if rng.random() < 0.4 else some,
                refuse_outside=int(refusing and rng.random() < 0.3),
            )


def _weights(config: ChannelConfig, rng: np.random.Generator) -> np.ndarray:
    kind = rng.choice(("equal", "extreme", "any"))
    if kind == "equal":
        return np.full(config.tenants, int(rng.choice((1, 16, 255))))
    if kind == "extreme":
        return rng.choice((1, 255), size=config.tenants)
    return rng.integers(1, 256, size=config.tenants)


def _rates(config: ChannelConfig, rng: np.random.Generator) -> np.ndarray:
    """Committed rates whose sum is admissible, the full sum included."""
    share = ADMISSIBLE_SHARE * rng.choice((1, 1, 0.3))
    parts = rng.dirichlet(np.full(config.tenants, rng.choice((0.3, 3.0))))
    rates = np.floor(parts * float(share) * (config.bytes_per_clock << config.rate_fraction))
    return np.maximum(rates.astype(np.int64) - 1, 1)


def _stream(
    tag: int, mood: str, begin: int, clocks: int, config: ChannelConfig, rng: np.random.Generator
) -> Stream:
    kinds = {
        "crowded": ("flood", "flood", "flood", "alternate"),
        "mixed": ("flood", "burst", "single", "alternate", "trickle"),
        "sparse": ("single", "trickle", "burst"),
    }[mood]
    kind = rng.choice(kinds)
    count = {"flood": clocks // 2, "alternate": clocks // 2, "burst": clocks // 4}.get(
        kind, clocks // 16
    )
    count = max(1, count)
    requests = np.zeros(count, dtype=REQUEST)
    requests["op"] = rng.random(count) < rng.choice((0.0, 0.3, 1.0))
    requests["address"] = rng.integers(0, 1 << config.address_width, size=count, dtype=np.uint64)
    requests["beats"] = _sizes(kind, count, config, rng)
    window = {"single": 1, "trickle": 2}.get(kind, int(rng.choice((2, 17, 64, 400))))
    length = {"single": 1, "trickle": 1, "burst": int(rng.choice((8, 32, 100)))}.get(kind, count)
    firsts = np.arange(0, count, length)
    steps = np.zeros(len(firsts), dtype=STEP)
    steps["first"] = firsts
    steps["count"] = np.minimum(length, count - firsts)
    steps["compute"] = rng.choice((0, 1, 10, 100, 1000), size=len(firsts))
    steps["ready"][0] = begin + int(rng.choice((0, 0, 5, clocks // 3)))
    until = None
    if rng.random() < 0.2:
        until = begin + int(rng.integers(clocks // 4 + 1, clocks + 1))
    return Stream(
        name=f"{kind}-{tag}",
        tag=tag,
        window=min(window, (1 << config.id_width) - 1),
        closed=True,
        requests=requests,
        steps=steps,
        until=until,
    )


def _sizes(kind: str, count: int, config: ChannelConfig, rng: np.random.Generator) -> np.ndarray:
    longest = config.max_beats
    if kind == "alternate":
        return np.where(np.arange(count) % 2, longest, 1)
    style = rng.choice(("one", "longest", "any"))
    if style == "any":
        return rng.integers(1, longest + 1, size=count)
    return np.full(count, 1 if style == "one" else longest)
