"""Whether the hardware can keep a contract: the checks that need more than one key."""

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_hw.registers import channel_map
from mcos_policy.colouring import check_colours
from mcos_policy.contract import Contract
from mcos_policy.counters import check_epoch
from mcos_policy.diagnostics import Diagnostic, error
from mcos_policy.headroom import Headroom, headroom
from mcos_policy.keys import Given
from mcos_policy.lending import check_lending
from mcos_policy.port_rows import check_ports
from mcos_policy.power import check_power
from mcos_policy.quantize import (
    LEAST_AGE_LIMIT,
    WEIGHT_LIMIT,
    Weights,
    age_limit,
    bucket_depth,
    clocks,
    guarantees_of,
    least_rate,
    memory_rates,
    memory_wait,
    port_credit,
    shared_rate,
    single_class_delay,
    weights,
)
from mcos_policy.rounding import rounded_down, rounded_up
from mcos_policy.spreading import check_interleave
from mcos_policy.units import DURATION, RATE

__all__ = ["admit"]


def admit(contract: Contract, config: ChannelConfig) -> list[Diagnostic]:
    """Errors about promises that the given hardware cannot keep, and warnings."""
    return list(_Admission(contract, config).findings())


class _Admission:
    def __init__(self, contract: Contract, config: ChannelConfig) -> None:
        self.contract = contract
        self.config = config
        self.fabric = contract.fabric
        self.rate = contract.memory.rate or Fraction(config.capacity)
        self.capacity = self.rate * contract.fabric.channels
        self.clock = Fraction(1, config.clock_khz * 1000)
        self.most = {
            field.name: (1 << field.width) - 1
            for register, _ in channel_map(config).image_words()
            for field in register.fields
        }
        self.guarantees = guarantees_of(contract)

    def findings(self) -> Iterator[Diagnostic]:
        if len(self.contract.tenants) > self.config.tenants:
            # Other checks of so many tenants give many messages, which change with each removal.
            yield self._too_many()
            return
        yield from self._fabric()
        if clocks(self.fabric.epoch, self.config) <= self.most["epoch_clocks"]:
            yield from check_epoch(self.contract, self.config)
        yield from check_interleave(self.contract, self.config)
        yield from check_ports(self.contract, self.config)
        yield from check_lending(self.contract, self.config)
        yield from check_colours(self.contract)
        yield from self._names()
        yield from self._tags()
        memory = list(self._memory())
        yield from memory
        if memory:
            # Without a rate that a channel can have there is neither capacity nor a bound.
            return
        total = list(self._sum())
        yield from total
        spread = list(self._spread())
        yield from spread
        shares = weights(self.guarantees, self.config)
        rate = shared_rate(self.contract, self.config)
        wait = memory_wait(self.contract, self.config)
        if not (total or spread):
            yield from self._shares(shares, rate)
            yield from check_power(self.contract, self.config)
        for position in self.contract.tenants:
            bound = single_class_delay(shares.share(position), self.config, rate=rate, wait=wait)
            yield from self._rates(position)
            yield from self._objective(position)
            # If the guarantees differ too much, long bounds follow from that alone.
            if not spread:
                yield from self._age_limit(position, bound)

    def _promised(self, position: int, key: str) -> Given:
        """How a tenant's promise was given."""
        return self.contract.tenants[position].bandwidth.at(key)

    def _fabric(self) -> Iterator[Diagnostic]:
        credit = port_credit(self.contract, self.config)
        low, high = self.config.l_max, self.config.slots * self.config.l_max
        if not low <= credit <= high:
            key = "latency" if self.fabric.port_credit is None else "port_credit"
            rule = f"must leave a port credit of {low}..{high} bytes"
            yield _broken(self.fabric.at(key), rule, "change it", value=f"{credit} bytes")
        if self.fabric.port_credit is not None and self.fabric.latency is not None:
            text = "[fabric] must have port_credit or latency, not both; remove one"
            yield error(self.fabric.at("latency").key_origin, text)
        for key, field, duration in (
            ("depth1", "depth1_clocks", self.fabric.depth1),
            ("epoch", "epoch_clocks", self.fabric.epoch),
        ):
            if clocks(duration, self.config) > self.most[field]:
                most = DURATION.show(self.most[field] * self.clock)
                rule = f"must be at most {most} ({self.most[field]} clocks)"
                shown = DURATION.show(duration)
                yield _broken(self.fabric.at(key), rule, "shorten it", value=shown)
        if self.fabric.promotion_interval > self.most["promotion_interval"]:
            rule = f"must be at most {self.most['promotion_interval']}"
            yield _broken(self.fabric.at("promotion_interval"), rule, "lower it")

    def _memory(self) -> Iterator[Diagnostic]:
        rate, (least, most) = self.contract.memory.rate, memory_rates(self.config)
        if rate is not None and not least <= rate <= most:
            rule = (
                f"must be in {RATE.show(least)}..{RATE.show(most)}, the rate of the hardware's "
                "channel"
            )
            yield _broken(self.contract.memory.at("rate"), rule, "change it")
        elif self.config.compact and self.rate > self._most_granted:
            text = (
                f"the channel must pass at most {RATE.show(self._most_granted)}, that is a longest "
                f"request in {self.config.grant_interval} clocks, not {RATE.show(self.rate)}; make "
                "[hardware] grant_interval or bytes_per_clock less, or max_beats more"
            )
            yield error(self.fabric.origin, text)

    @property
    def _most_granted(self) -> Fraction:
        """Bytes per second that grants can pass to memory."""
        return Fraction(self.config.l_max, self.config.grant_interval) / self.clock

    def _names(self) -> Iterator[Diagnostic]:
        first: dict[str, int] = {}
        for position, tenant in self.contract.tenants.items():
            earlier = first.setdefault(tenant.name, position)
            if earlier != position:
                name = tenant.at("name")
                rule = (
                    f"must be unique, and tenant {earlier + 1} of {name.origin.container} has "
                    "this one already"
                )
                yield _broken(name, rule, "rename one")

    def _too_many(self) -> Diagnostic:
        tags = self.config.tenants
        excess = list(self.contract.tenants)[tags]
        text = (
            f"a contract must have at most {tags} tenants, one for each tag of the hardware, "
            f"not {len(self.contract.tenants)}; remove some"
        )
        return error(self.contract.tenants[excess].origin, text)

    def _tags(self) -> Iterator[Diagnostic]:
        tags = self.config.tenants
        counts = Counter(tenant.tag for tenant in self.contract.tenants.values())
        for tenant in self.contract.tenants.values():
            if tenant.tag is None:
                continue
            tag = tenant.at("tag")
            if tenant.tag >= tags:
                rule = f"must be in 0..{tags - 1}, the tags of the hardware"
                yield _broken(tag, rule, "choose another, or omit it to get a free one")
            elif counts[tenant.tag] > 1:
                names = [
                    other.name
                    for other in self.contract.tenants.values()
                    if other.tag == tenant.tag
                ]
                rule = f"must be unique, and {' and '.join(names)} have the same"
                yield _broken(tag, rule, "choose another, or omit it to get a free one")

    def _sum(self) -> Iterator[Diagnostic]:
        costs = {
            position: tenant.bandwidth.cost for position, tenant in self.contract.tenants.items()
        }
        charges = {
            position: guarantee * costs[position] for position, guarantee in self.guarantees.items()
        }
        room = headroom(self.contract, self.config)
        if not room.over:
            return
        passed, so_far = 0, Fraction(0)
        for position, charge in charges.items():
            passed = position
            so_far += charge
            if so_far > room.limit:
                break
        parts = [
            f"{self.contract.tenants[position].name} {RATE.show(guarantee)}"
            + (f" at a cost of {float(costs[position]):g}" if costs[position] != 1 else "")
            for position, guarantee in self.guarantees.items()
        ]
        percent = float(rounded_up(100 * room.over / room.limit, 2))
        text = (
            f"the sum of guarantees must be at most {RATE.show(room.limit)}, "
            f"{float(ADMISSIBLE_SHARE)} of the capacity {RATE.show(self.capacity)}, "
            f"not {RATE.show(room.charged)} ({', '.join(parts)}): {RATE.show(room.over)} or "
            f"{percent:g} % too much; {self._would_fit(room)}"
        )
        yield error(self._promised(passed, "guaranteed").origin, text)

    def _would_fit(self, room: Headroom) -> str:
        """Guarantees, or a number of channels, with which the sum would fit."""
        factor = rounded_down(room.factor)
        scaled = ", ".join(
            f"{self.contract.tenants[position].name} {RATE.show(rounded_down(guarantee * factor))}"
            for position, guarantee in self.guarantees.items()
            if guarantee
        )
        channels = ""
        if (enough := room.enough_channels) is not None:
            channels = f", or take {enough} channels instead of {room.channels}"
        return f"multiply all of them by {float(factor):g} ({scaled}){channels}"

    def _shares(self, shares: Weights, rate: Fraction) -> Iterator[Diagnostic]:
        """Best effort must not take from a guarantee while all tenants are backlogged."""
        whole = rate * self.fabric.channels / self.clock / sum(shares.exact.values(), Fraction(0))
        for position, guarantee in self.guarantees.items():
            share = whole * shares.exact[position]
            if share >= guarantee:
                continue
            tenants = self.contract.tenants
            costliest = max(
                (key for key, each in tenants.items() if each.bandwidth.best_effort),
                key=lambda key: tenants[key].bandwidth.cost,
            )
            text = (
                "best-effort tenants must leave the others their guarantees while all are "
                f"backlogged, but {tenants[position].name} would get {RATE.show(share)} of "
                f"{RATE.show(guarantee)}; lower their costs or guarantee less"
            )
            yield error(self._promised(costliest, "cost").origin, text)
            return

    def _spread(self) -> Iterator[Diagnostic]:
        guaranteed = [position for position, each in self.guarantees.items() if each]
        if not guaranteed:
            return
        least = min(guaranteed, key=lambda position: self.guarantees[position])
        for position, guarantee in self.guarantees.items():
            if guarantee > WEIGHT_LIMIT * self.guarantees[least]:
                promised = self._promised(position, "guaranteed")
                rule = (
                    f"must be at most {WEIGHT_LIMIT} times the smallest guarantee "
                    f"({RATE.show(self.guarantees[least])} of "
                    f"{self.contract.tenants[least].name})"
                )
                yield _broken(promised, rule, "bring the two closer")

    def _rates(self, position: int) -> Iterator[Diagnostic]:
        promise = self.contract.tenants[position].bandwidth
        channels = self.fabric.channels
        unit = least_rate(channels, self.config)
        if 0 < promise.guaranteed < unit:
            promised = self._promised(position, "guaranteed")
            rule = (
                f"must be 0 or at least {RATE.show(unit)}, the smallest rate of {channels} channels"
            )
            yield _broken(promised, rule, "raise it")
        if promise.guaranteed and not promise.burst_duration:
            promised = self._promised(position, "burst_duration")
            yield _broken(promised, "must be over 0", 'write a duration such as "2 ms"')
        if not (promise.burst or promise.work_conserving):
            promised = self._promised(position, "work_conserving")
            rule = "must be true for a tenant with neither guarantee nor burst"
            yield _broken(promised, rule, "nothing else would ever serve it")
        promised = self._promised(position, "burst")
        most = self.most["peak_depth"]
        if promise.burst < promise.guaranteed:
            rule = f"must be at least the guarantee of {RATE.show(promise.guaranteed)}"
            yield _broken(promised, rule, "raise burst or lower the guarantee")
        elif promise.burst > self.capacity:
            rule = (
                f"must be at most the capacity {RATE.show(self.capacity)} "
                f"({channels} channels of {RATE.show(self.rate)})"
            )
            yield _broken(promised, rule, "lower it or add channels")
        elif bucket_depth(promise.burst, promise.burst_duration, channels, self.config) > most:
            nanoseconds = math.floor(most * channels / promise.burst * 10**9)
            longest = DURATION.show(Fraction(nanoseconds, 10**9))
            promised = self._promised(position, "burst_duration")
            rule = f"must be at most {longest} at this burst (a bucket holds {most} bytes)"
            yield _broken(promised, rule, "shorten it or lower burst")

    def _objective(self, position: int) -> Iterator[Diagnostic]:
        promise = self.contract.tenants[position].bandwidth
        if promise.latency_slo is None:
            return
        promised = self._promised(position, "latency_slo")
        objective, most = clocks(promise.latency_slo, self.config), self.most["latency_slo"]
        if not 1 <= objective < most + 1:
            rule = f"must be in {DURATION.show(self.clock)}..{DURATION.show(most * self.clock)}"
            yield _broken(promised, rule, "change it, or omit it to count no violations")

    def _age_limit(self, position: int, bound: Fraction) -> Iterator[Diagnostic]:
        promise = self.contract.tenants[position].bandwidth
        shown, most = self._show_bound(bound), self.most["age_limit"]
        longest = DURATION.show(most * self.clock)
        limit = promise.age_limit
        if promise.best_effort:
            if limit and not LEAST_AGE_LIMIT <= clocks(limit, self.config) <= most:
                promised = self._promised(position, "age_limit")
                rule = (
                    f"must be in {DURATION.show(LEAST_AGE_LIMIT * self.clock)} to {longest}, or 0"
                )
                yield _broken(promised, rule, "change it, or omit it to have the longest")
        elif limit is None:
            if age_limit(promise, bound, self.config) < bound:
                promised = self._promised(position, "guaranteed")
                rule = (
                    f"must leave a single-class delay bound of at most {longest}, "
                    "the longest age limit"
                )
                yield _broken(promised, rule, "raise it", value=shown)
        elif limit and not bound <= clocks(limit, self.config) <= most:
            promised = self._promised(position, "age_limit")
            rule = f"must be in {shown} (the tenant's single-class delay bound) to {longest}, or 0"
            yield _broken(promised, rule, "change it, or omit it to have it derived")

    def _show_bound(self, bound: Fraction) -> str:
        """A bound in clocks as time, rounded up to a picosecond so that what it shows is enough."""
        return DURATION.show(Fraction(math.ceil(bound * self.clock * 10**12), 10**12))


def _broken(given: Given, rule: str, way_out: str, *, value: str | None = None) -> Diagnostic:
    """An error about a value that breaks a rule, shown as it was given or as ``value``."""
    shown = given.shown if value is None else value
    return error(given.origin, f"{given.key} {rule}, not {shown}; {way_out}")
