"""Random cases: contracts, commits under way, and traffic that looks for corners."""

import dataclasses
import itertools
import zlib

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.registers.image import HEADER_WORDS, HeaderWord, ImageCode, Section
from mcos_policy.image import Image, encode, verify
from mcos_policy.settings import Settings, TenantSettings
from mcos_sim.lockstep.contracts import illegal_settings, random_settings
from mcos_sim.scenario import FIRST_CLOCK, LIVE_CLOCK, Channel, Scenario, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream
from mcos_sim.verilated.hardware import load_clocks

__all__ = [
    "Case",
    "Commit",
    "random_case",
]


_COMMIT_ROOM = 300
"""Clocks between a commit and the first write of the next image, at least."""

_LONG_EPOCH = 66_000
"""Clocks of an epoch that a counter of 16 bits does not reach."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Commit:
    """An image that becomes live in a clock, unless it has to be refused and changes nothing.

    Parameters
    ----------
    clock : int
        First clock in which it is live.
    settings : Settings
        What it sets.
    image : Image
        The same as words.
    spoilt : tuple[int, ...] or None
        Words that are loaded in place of the image's, because the loader has to refuse them.
    """

    clock: int
    settings: Settings
    image: Image
    spoilt: tuple[int, ...] | None = None

    @property
    def loaded(self) -> tuple[int, ...]:
        """The words that are loaded."""
        return self.image.words if self.spoilt is None else self.spoilt


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
        config = self.scenario.config
        return tuple(each for each in self.commits if verify(each.loaded, config) is ImageCode.NONE)


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
    mood = rng.choice(("crowded", "mixed", "sparse"))
    twist = rare.choice(("", "slots", "even", "aged"), p=(0.59, 0.06, 0.2, 0.15))
    if twist == "aged":
        mood = "crowded"
    if rare.random() < 0.02:
        # Nothing is asked for until a long epoch is over.
        begin += _LONG_EPOCH
        channel = dataclasses.replace(first.channel, epoch_clocks=_LONG_EPOCH)
        first = dataclasses.replace(first, channel=channel)
    end = begin + clocks
    last = _twisted(first, twist, config)
    commits = [_commit(LIVE_CLOCK, last, config)]
    spacing = load_clocks(config) + _COMMIT_ROOM
    clock = begin
    while rng.random() < 0.8:
        clock += spacing + int(rng.integers(1, spacing))
        if clock >= end - spacing:
            break
        settings = _twisted(random_settings(config, rng, ages=ages, like=last), twist, config)
        commits.append(_commit(clock, settings, config))
        if spoils.random() < 0.4:
            commits[-1] = _spoilt(commits[-1], config, spoils)
        else:
            last = settings
    # In the end no epoch is latched any more, so that its registers can be read at leisure.
    channel = dataclasses.replace(last.channel, epoch_clocks=0)
    if end - 32 - load_clocks(config) > commits[-1].clock:
        commits.append(_commit(end - 32, dataclasses.replace(last, channel=channel), config))

    streams = [
        dataclasses.replace(_stream(tag, mood, begin, clocks, config, rng), stamp_age=ages[tag])
        for tag in tags
        if rng.random() < 0.9
    ]
    latency = int(rng.choice((1, 2, 10, 80, 200)))
    if twist in ("slots", "even"):
        beats = 1 if twist == "slots" else int(rare.choice((1, config.max_beats)))
        for stream in streams:
            stream.requests["beats"] = beats
    if twist == "even":
        window = int(rare.integers(1, 9))
        streams = [dataclasses.replace(stream, window=window) for stream in streams]
    if twist == "slots":
        latency = int(rare.integers(config.slots // 4, 3 * config.slots))
    credit = max(each.settings.channel.port_credit for each in commits)
    scenario = Scenario(
        name=f"case-{seed}",
        arbiter=arbiter,
        config=config,
        image=commits[0].image.words,
        ports=one_port(streams),
        clocks=end,
        channels=(Channel(latency=latency, credit=credit),),
        seed=seed,
        offer_pause=float(rng.choice((0.0, 0.0, 0.1, 0.7))),
        command_pause=float(rng.choice((0.0, 0.0, 0.1, 0.7))),
    )
    return Case(seed=seed, scenario=scenario, commits=tuple(commits), warm_clocks=warm)


def _commit(clock: int, settings: Settings, config: ChannelConfig) -> Commit:
    image = encode(config, channel_map(config), settings, clock)
    return Commit(clock=clock, settings=settings, image=image)


def _spoilt(commit: Commit, config: ChannelConfig, rng: np.random.Generator) -> Commit:
    """The same with something wrong, of each kind that the loader looks at."""
    words = list(commit.image.words)
    kinds = ["bit", "checksum", "header", "section", "length"]
    if config.loader_checks:
        kinds += ["field", "value", "value"]
    match rng.choice(kinds):
        case "bit":
            words[rng.integers(len(words))] ^= 1 << int(rng.integers(32))
        case "checksum":
            words[-1] ^= 1 << int(rng.integers(32))
        case "header":
            told = (HeaderWord.CAPABILITY, HeaderWord.LIMITS, HeaderWord.CLOCK, HeaderWord.MAP_HASH)
            words[rng.choice(told)] ^= 1 << int(rng.integers(32))
            words = _sealed(words)
        case "section":
            words = _sealed(_other_sections(words, rng))
        case "field":
            places = [
                (place, bit)
                for place, (register, _) in channel_map(config).image_places().items()
                for bit in range(32)
                if not register.mask >> bit & 1
            ]
            place, bit = places[rng.integers(len(places))]
            words[place] |= 1 << bit
            words = _sealed(words)
        case "value":
            illegal = illegal_settings(commit.settings, config, rng)
            words = list(_commit(commit.clock, illegal, config).image.words)
        case "length":
            words = words[:-1] if rng.random() < 0.5 else [*words, int(rng.integers(1 << 32))]
    return dataclasses.replace(commit, spoilt=tuple(words))


def _other_sections(words: list[int], rng: np.random.Generator) -> list[int]:
    """A good image whose sections are not those that the hardware has."""
    sections: list[list[int]] = []
    place = HEADER_WORDS
    while place < len(words) - 1:
        end = place + 1 + Section.unpack(words[place]).words
        sections.append(words[place:end])
        place = end
    tenants = len(sections) - 1
    k = int(rng.choice((0, 1, tenants)))
    first = Section.unpack(sections[k][0])
    match rng.choice(("kind", "index", "words", "missing", "repeated", "order")):
        case "kind":
            first = dataclasses.replace(first, kind=int(rng.choice((0, 3, 0xFF))))
            sections[k] = [first.pack(), *sections[k][1:]]
        case "index":
            first = dataclasses.replace(first, index=tenants + int(rng.integers(8)))
            sections[k] = [first.pack(), *sections[k][1:]]
        case "words":
            first = dataclasses.replace(first, words=first.words ^ 1 << int(rng.integers(16)))
            sections[k] = [first.pack(), *sections[k][1:]]
        case "missing":
            del sections[k]
        case "repeated":
            sections[tenants] = sections[rng.integers(1, tenants)]
        case "order":
            i = int(rng.integers(1, tenants))
            sections[i : i + 2] = sections[i + 1], sections[i]
    return [*words[:HEADER_WORDS], *itertools.chain.from_iterable(sections), words[-1]]


def _sealed(words: list[int]) -> list[int]:
    """The words with the length and the checksum that they have."""
    words[HeaderWord.WORDS] = len(words)
    words[-1] = zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words[:-1]))
    return words


def _twisted(settings: Settings, twist: str, config: ChannelConfig) -> Settings:
    """What a case needs in which all slots are used, tags are even so that many are equal, or every
    other tenant always conforms and the others' heads are soon over age.
    """
    deepest = (1 << config.depth_width) - 1
    if twist == "slots":
        credit = config.slots * config.l_max
        channel = dataclasses.replace(settings.channel, pacer_enable=0, port_credit=credit)
        return dataclasses.replace(settings, channel=channel)
    if twist == "aged":
        channel = dataclasses.replace(settings.channel, promotion_interval=2)
        tenants = [
            dataclasses.replace(_deprived(each, config), age_limit=1 << i % 8)
            if i % 2 and each.enable
            else _deepened(each, deepest)
            for i, each in enumerate(settings.tenants)
        ]
        return dataclasses.replace(settings, channel=channel, tenants=tuple(tenants))
    if twist == "even":
        share = (1 << config.total_reciprocal_fraction) // config.tenants
        channel = dataclasses.replace(settings.channel, inverse_total_weight=share)
        alike = {
            "inverse_weight": 1 << config.reciprocal_fraction,
            "priority": 0,
        }
        tenants = [
            _deepened(dataclasses.replace(each, **alike), deepest) if each.enable else each
            for each in settings.tenants
        ]
        return dataclasses.replace(settings, channel=channel, tenants=tuple(tenants))
    return settings


def _deprived(tenant: TenantSettings, config: ChannelConfig) -> TenantSettings:
    """The tenant with next to no tokens, served all the same."""
    least = {"committed_rate": 1, "committed_depth": config.l_max} if tenant.committed_rate else {}
    return dataclasses.replace(
        tenant, work_conserving=1, peak_rate=1, peak_depth=config.l_max, **least
    )


def _deepened(tenant: TenantSettings, depth: int) -> TenantSettings:
    """The tenant with buckets of that depth, those that it has."""
    return dataclasses.replace(
        tenant,
        committed_depth=depth
        if tenant.enable and tenant.committed_rate
        else tenant.committed_depth,
        peak_depth=depth if tenant.enable and tenant.peak_rate else tenant.peak_depth,
    )


def _stamp_age(config: ChannelConfig, rng: np.random.Generator) -> int:
    """Clocks that a tenant's stamps are before its offers: none, or some near a power of two."""
    if rng.random() < 0.6:
        return 0
    # No two requests are half the range of a stamp apart.
    longest = config.stamp_width - 2
    power = int(rng.integers(8, rng.choice((config.clocks_width + 2, longest))))
    return (1 << power) + int(rng.integers(-200, 200))


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
