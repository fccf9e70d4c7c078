"""All rules over one waveform."""

import functools
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from mcos_hw.channel.intake import terms_fraction, terms_widening
from mcos_hw.config import REFILL_CLOCKS, UPDATE_CLOCKS
from mcos_hw.link.request import command_layout
from mcos_hw.registers import ArbiterKind
from mcos_sim.waves.reading import NO_VALUE, Waveform
from mcos_sim.waves.rules.age import check_age, check_promotions
from mcos_sim.waves.rules.choice import check_choice, find_far
from mcos_sim.waves.rules.images import Images
from mcos_sim.waves.rules.looks import check_looks
from mcos_sim.waves.rules.memory import check_credit, check_memory
from mcos_sim.waves.rules.pace import check_load, check_pace, check_spacing
from mcos_sim.waves.rules.ports import (
    UNSENT,
    check_answers,
    check_commands,
    check_handshake,
)
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.queues import check_heads, check_queues
from mcos_sim.waves.rules.tags import check_compact_tags, check_tags, check_time
from mcos_sim.waves.rules.tokens import check_classes, check_levels, check_seen_levels
from mcos_sim.waves.rules.violation import FIELDS, Rule, Violation

__all__ = [
    "check_waveform",
]


_Check: TypeAlias = Callable[[np.ndarray, Waveform, Images], None]
"""Adds violations of some rules in a waveform to a table."""

_DRAIN_AGE = 1024
"""Age limit of a tenant that a commit disables (docs/arbiter.md); not taken from the hardware."""

_SETTLING = 8
"""Clocks after a commit in which a stretch that begins there says nothing: they look back."""


def check_waveform(waveform: Waveform, *, limit: int = 1_000) -> tuple[list[Violation], int]:
    """Check every rule in every clock, each stretch without hidden clocks for itself.

    Parameters
    ----------
    waveform : Waveform
        What to check.
    limit : int
        Violations of a rule's group to tell of, at most.

    Returns
    -------
    tuple[list[Violation], int]
        Violations by clock, and how many there are in all.
    """
    violations: list[Violation] = []
    count = 0
    far = _far(waveform)
    for stretch in map(_settled, waveform.stretches()):
        if not len(stretch.clocks):
            continue
        here = far[np.searchsorted(waveform.clocks, stretch.clocks)]
        found, more = _check_stretch(stretch, limit, here)
        violations += found
        count += more
    violations.sort(key=lambda each: (each.clock, each.rule))
    return violations, count


def _settled(stretch: Waveform) -> Waveform:
    """A stretch without the clocks in which a commit from before it is still felt."""
    first = int(stretch.clocks[0])
    felt = [clock + _SETTLING for clock, _ in stretch.images if 0 < clock <= first]
    return stretch.rows(slice(max(0, max(felt, default=0) - first), None))


def _far(w: Waveform) -> np.ndarray:
    """What :func:`find_far` finds, over all clocks that are shown; only MCOS has tags."""
    far = np.zeros(w.tenants["start"].shape, dtype=np.int8)
    if w.arbiter is ArbiterKind.MCOS:
        tags = w.channel["virtual_time"], w.tenants["start"], w.tenants["finish"]
        find_far(far, *tags, w.config.tag_width, w.config.stale_after << w.config.tag_fraction)
    return far


def _check_stretch(waveform: Waveform, limit: int, far: np.ndarray) -> tuple[list[Violation], int]:
    """Violations in clocks that follow each other, and how many there are."""
    violations: list[Violation] = []
    count = 0
    checks: list[_Check] = [_levels, _classes, _queues, _ports, _pace]
    if waveform.arbiter is ArbiterKind.MCOS:
        # The other arbiters have no tags and no guard, and serve heads without tokens.
        checks += [functools.partial(_choice, far=far), _tags, _age, _heads]
    images = Images(waveform)
    for check in checks:
        found = np.zeros((limit + 1, FIELDS), dtype=np.int64)
        check(found, waveform, images)
        total = int(found[0, 0])
        count += total
        for row in found[1 : 1 + min(total, limit)]:
            rule, place, tenant, other, value, expected, quantity = (int(each) for each in row)
            violations.append(
                Violation(
                    rule=Rule(rule),
                    clock=int(waveform.clocks[place]),
                    tenant=tenant,
                    other=other,
                    value=value,
                    expected=expected,
                    quantity=Quantity(quantity),
                )
            )
    return violations, count


def _choice(found: np.ndarray, w: Waveform, images: Images, *, far: np.ndarray) -> None:
    c, t = w.channel, w.tenants
    channel = [c[name] for name in ("open", "granted", "promoted", "tenant", "granted_class")]
    tenants = [t[name] for name in ("serviceable", "class_code", "candidate", "start", "finish")]
    given = far, images.priorities(), images.image
    if w.config.compact:
        sizes = w.config.tag_width, w.config.look_clocks, w.config.entry_clocks
        check_looks(found, *sizes, *channel, t["present"], *tenants, *given)
        return
    sizes = w.config.tag_width, w.config.lateness > 0
    check_choice(found, *sizes, *channel, c["virtual_time"], t["queued"], *tenants, *given)


def _levels(found: np.ndarray, w: Waveform, images: Images) -> None:
    beat = w.config.beat_bytes << w.config.rate_fraction
    c = w.channel
    for name, most, quantity in (
        ("committed", 0, Quantity.COMMITTED),
        ("peak", 1, Quantity.PEAK),
    ):
        values = (
            w.tenants[name],
            c["granted"],
            c["tenant"],
            c["beats"],
            c["granted_class"],
            most,
            beat,
            images.tenants(f"{name}_rate"),
            images.tenants(f"{name}_depth", 1 << w.config.rate_fraction),
            images.image,
            int(quantity),
        )
        if w.config.compact:
            check_seen_levels(found, *values, REFILL_CLOCKS + 1, w.config.token_lateness)
        else:
            check_levels(found, *values)


def _classes(found: np.ndarray, w: Waveform, images: Images) -> None:
    c, t = w.channel, w.tenants
    check_classes(
        found,
        w.config.steps,
        t["present"],
        t["beats"],
        t["class_code"],
        t["committed"],
        t["peak"],
        c["granted"],
        c["tenant"],
        w.config.beat_bytes << w.config.rate_fraction,
        images.scavenges(),
        images.tenants("refuse_outside"),
        images.image,
    )


def _tags(found: np.ndarray, w: Waveform, images: Images) -> None:
    config, c, t = w.config, w.channel, w.tenants
    moved = UPDATE_CLOCKS if config.compact else int(config.lateness > 0)
    check_time(found, config.tag_width, moved, c["granted"], c["virtual_time"])
    scale = config.tag_width, config.stale_after << config.tag_fraction
    values = (
        *(c[name] for name in ("granted", "tenant", "virtual_time")),
        *(t[name] for name in ("present", "beats", "start", "finish")),
        images.tenants("inverse_weight"),
        terms_widening(config),
        terms_fraction(config),
        images.image,
    )
    if config.compact:
        check_compact_tags(found, *scale, UPDATE_CLOCKS, *values)
    else:
        check_tags(found, *scale, *values)


def _age(found: np.ndarray, w: Waveform, images: Images) -> None:
    # What a tenant has queued that a commit disables goes by an age of its own.
    enabled = images.tenants("enable") == 1
    limits = np.where(enabled, images.tenants("age_limit"), _DRAIN_AGE)
    check_age(
        found,
        w.channel["granted"],
        w.channel["promoted"],
        w.tenants["age"],
        w.tenants["serviceable"],
        limits,
        images.channel("promotion_interval"),
        images.image,
    )
    check_promotions(
        found,
        w.channel["granted"],
        w.channel["promoted"],
        w.channel["tenant"],
        w.tenants["age"],
        limits,
        images.channel("promotion_interval"),
        images.image,
        images.loaded,
    )


def _queues(found: np.ndarray, w: Waveform, images: Images) -> None:
    t, e = w.tenants, w.events
    check_queues(
        found,
        w.channel["granted"],
        w.channel["tenant"],
        e["request.valid"],
        e["request.tenant"],
        t["queued"],
        t["present"],
        w.config.queue_depth,
    )


def _pace(found: np.ndarray, w: Waveform, images: Images) -> None:
    c, sizes, credits = w.channel, _granted_bytes(w), images.channel("port_credit")
    check_credit(
        found,
        c["in_flight"],
        c["granted"],
        c["tenant"],
        sizes,
        w.config.l_max,
        credits,
        images.image,
    )
    check_spacing(found, c["granted"], c["tenant"], w.config.grant_interval)
    check_load(found, c["load"], c["in_flight"], credits, images.image)
    check_pace(
        found,
        c["granted"],
        c["tenant"],
        sizes << w.config.rate_fraction,
        c["debt"],
        images.channel("pacer_enable"),
        images.channel("pacer_rate"),
        images.image,
    )


def _heads(found: np.ndarray, w: Waveform, images: Images) -> None:
    check_heads(found, w.tenants["present"], w.tenants["class_code"], w.tenants["serviceable"])


def _ports(found: np.ndarray, w: Waveform, images: Images) -> None:
    e = w.events
    # How many commands are of grants from before is not shown: what fits best is taken.
    guesses = [np.zeros((1, FIELDS), dtype=np.int64) for _ in range(UNSENT + 1)]
    for skipped, guess in enumerate(guesses):
        _commands(guess, w, skipped)
    ids = _commands(found, w, min(range(len(guesses)), key=lambda place: guesses[place][0, 0]))
    check_memory(
        found,
        w.channel["in_flight"],
        _granted_bytes(w),
        w.channel["granted"],
        w.config.l_max,
        w.config.beat_bytes,
        *(e[f"command.{name}"] for name in ("valid", "slot", "tenant", "beats")),
        ids,
        e["completion.valid"],
        e["completion.slot"],
        *(e[f"response.{name}"] for name in ("valid", "tenant", "id")),
        np.zeros((w.config.slots, 4), dtype=np.int64),
    )
    check_answers(
        found,
        e["completion.valid"],
        e["response.valid"],
        e["response.tenant"],
        e["response.id"],
        e["request.valid"],
        e["request.tenant"],
        e["request.id"],
        np.zeros((w.config.tenants, 1 << w.config.id_width), dtype=np.int8),
    )
    offered, taken = e["offer.valid"], e["command.valid"]
    is_offered = offered == 1
    stays = is_offered.copy()
    for name, _ in command_layout(w.config):
        offer = e[f"offer.{name}"]
        is_offered &= offer == e[f"command.{name}"]
        stays[1:] &= offer[1:] == offer[:-1]
    check_handshake(found, stays, is_offered, offered, taken, e["offer.tenant"], e["offer.address"])


def _granted_bytes(w: Waveform) -> np.ndarray:
    """Bytes that are granted in each clock."""
    return np.where(w.channel["granted"], w.channel["beats"], 0).astype(np.int64) * (
        w.config.beat_bytes
    )


def _commands(found: np.ndarray, w: Waveform, skipped: int) -> np.ndarray:
    """Check commands; the id of the request that each of them is, by clock, or -1."""
    e = w.events
    of_request = np.full(len(w.clocks), NO_VALUE, dtype=np.int64)
    requests = np.flatnonzero(e["request.valid"])
    check_commands(
        found,
        skipped,
        np.flatnonzero(w.channel["granted"]),
        w.channel["tenant"],
        w.channel["beats"],
        w.tenants["queued"],
        np.flatnonzero(e["command.valid"]),
        *(e[f"command.{name}"] for name in ("tenant", "op", "address", "beats")),
        requests,
        *(e[f"request.{name}"] for name in ("tenant", "op", "address", "beats")),
        np.zeros((w.config.tenants, len(requests) + 1), dtype=np.int32),
        np.zeros((2, w.config.tenants), dtype=np.int64),
        of_request,
    )
    return np.where(of_request == NO_VALUE, NO_VALUE, e["request.id"][of_request])
