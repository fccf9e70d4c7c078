"""The two token buckets of a tenant on a channel."""

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.queue import QueueView, queue_view_signature
from mcos_hw.link.tokens import Tokens, level_width, tokens_signature, whole_width
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.select import spread
from mcos_hw.registers import channel_map

__all__ = [
    "TenantBuckets",
    "TokenBuckets",
    "whole_beats",
]


def whole_beats(config: ChannelConfig, level: Value) -> Value:
    """Whole beats of a signed level: 0 if it owes, all ones for any number that does not fit."""
    beat_bits = (config.beat_bytes - 1).bit_length() + config.rate_fraction
    whole, width = level[beat_bits:-1], whole_width(config)
    return Mux(level[-1], 0, whole[:width] | spread(whole[width:].any(), width))


class TenantBuckets(wiring.Component):
    """Committed and peak token bucket of one tenant, charged as in RFC 2698.

    Every clock each level gains its rate, loses what the grant of that clock charges, and is cut
    to its depth: ``level' = min(level - charge + rate, depth)``.

    Levels are signed. A conforming grant is never refused for lack of peak tokens (the guarantee
    is absolute), so peak may owe up to l_max: burst grants happen only with less than l_max
    committed tokens left, peak refills no slower than committed and is no shallower, so
    ``committed - peak <= l_max`` holds from then on. A commit that makes a bucket shallower between
    choice and charge may leave the committed level owing as much, once. A disabled tenant may owe
    more, as its contract need not be legal; it starts full when it is enabled.

    At reset both levels are zero. ``fill`` sets both to their depths.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    committed_rate, peak_rate : In(rate_width)
        Bytes per clock, with ``rate_fraction`` fraction bits.
    committed_depth, peak_depth : In(depth_width)
        Bytes.
    fill : In(1)
        Start with full buckets.
    beats : In(beats_width)
        What a charge takes.
    charge_committed, charge_peak : In(1)
        A grant of this clock charges the bucket.
    committed_beats, peak_beats : Out(whole_width)
        Whole beats of tokens, none where a level owes, all ones for any larger number.
    committed, peak : Out(signed(level_width))
        Levels in ``2**-rate_fraction`` bytes.
    """

    committed_rate: Signal
    peak_rate: Signal
    committed_depth: Signal
    peak_depth: Signal
    fill: Signal
    beats: Signal
    charge_committed: Signal
    charge_peak: Signal
    committed_beats: Signal
    peak_beats: Signal
    committed: Signal
    peak: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "committed_rate": In(config.rate_width),
                "peak_rate": In(config.rate_width),
                "committed_depth": In(config.depth_width),
                "peak_depth": In(config.depth_width),
                "fill": In(1),
                "beats": In(config.beats_width),
                "charge_committed": In(1),
                "charge_peak": In(1),
                "committed_beats": Out(whole_width(config)),
                "peak_beats": Out(whole_width(config)),
                "committed": Out(signed(level_width(config))),
                "peak": Out(signed(level_width(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fraction = self.config.rate_fraction
        beat_bits = (self.config.beat_bytes - 1).bit_length() + fraction

        for name, level, rate, depth, charged, beats in (
            (
                "committed",
                self.committed,
                self.committed_rate,
                self.committed_depth,
                self.charge_committed,
                self.committed_beats,
            ),
            ("peak", self.peak, self.peak_rate, self.peak_depth, self.charge_peak, self.peak_beats),
        ):
            # A charge is whole beats: it comes late, and touches only the bits above those.
            low = Signal(beat_bits + 1, name=f"{name}_low")
            charge = Signal(self.config.beats_width, name=f"{name}_charge")
            charged_level = Signal.like(level, name=f"{name}_charged")
            high = len(level) - beat_bits
            limit = Signal(self.config.depth_width + fraction, name=f"{name}_limit")
            # What the limit leaves, beside the sum rather than after it. A charge makes up for a
            # lack of a few beats only, so it meets no more than the few bits that tell of those.
            spare = Signal(signed(len(level) + 1), name=f"{name}_spare")
            lack_bits = len(charge) + 1
            lack = spare[beat_bits:][:lack_bits]
            lacks_few = spare[beat_bits:][len(charge) :].all()
            over = Signal(name=f"{name}_over")
            # The beats: level + rate - charge, and 1 where the bits below carry.
            terms, carries = carry_save(
                level[beat_bits:], _widened(rate[beat_bits:], high), ~_widened(charge, high), high
            )
            terms, carries = carry_save(terms, carries | 1, low[-1], high)
            width = len(spare)
            spare_terms, spare_carries = carry_save(
                _widened(limit, width), ~Cat(level, level[-1]), ~_widened(rate, width), width
            )
            m.d.comb += [
                limit.eq(depth << fraction),
                low.eq(level[:beat_bits] + rate[:beat_bits]),
                # limit - level - rate: the two complements lack 1 each.
                spare.eq((Cat(Const(1, 1), spare_terms) + Cat(Const(1, 1), spare_carries | 1))[1:]),
                charge.eq(Mux(charged, self.beats, 0)),
                charged_level.eq(Cat(low[:-1], terms + carries)),
                over.eq(spare[-1] & (~lacks_few | (lack + charge)[lack_bits - 1])),
                beats.eq(whole_beats(self.config, level)),
            ]
            m.d.sync += level.eq(Mux(self.fill | over, limit, charged_level))
        return m


def _widened(value: Value, width: int) -> Value:
    """An unsigned number with zeros in front."""
    return Cat(value, Const(0, width))[:width]


class TokenBuckets(wiring.Component):
    """The buckets of all tenants, each charged by the grants of its own heads.

    A tenant starts with full buckets in the clock after a commit enables it.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(Live)
        Rates and depths of each tenant, and whether it is enabled.
    view : In(QueueView)
        Length of each head.
    grant : In(Grant)
        The grant of this clock.
    tokens : Out(Tokens)
        What the buckets hold.
    """

    live: Live
    view: QueueView
    grant: Grant
    tokens: Tokens

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "view": In(queue_view_signature(config)),
                "grant": In(grant_signature(config)),
                "tokens": Out(tokens_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tokens = self.tokens
        enabled = Cat(each.enable for each in self.live.tenants)
        was_enabled = Signal(self.config.tenants)
        m.d.sync += was_enabled.eq(enabled)
        conforming = self.grant.tenants & self.grant.conforming
        burst = self.grant.tenants & self.grant.burst
        for i in range(self.config.tenants):
            m.submodules[f"tenant_{i}"] = bucket = TenantBuckets(self.config)
            contract = self.live.tenants[i]
            m.d.comb += [
                bucket.committed_rate.eq(contract.committed_rate),
                bucket.committed_depth.eq(contract.committed_depth),
                bucket.peak_rate.eq(contract.peak_rate),
                bucket.peak_depth.eq(contract.peak_depth),
                bucket.fill.eq(enabled[i] & ~was_enabled[i]),
                bucket.beats.eq(self.view.heads[i].beats),
                bucket.charge_committed.eq(conforming[i]),
                bucket.charge_peak.eq(conforming[i] | burst[i]),
                tokens.committed[i].eq(bucket.committed),
                tokens.peak[i].eq(bucket.peak),
                tokens.committed_beats[i].eq(bucket.committed_beats),
                tokens.peak_beats[i].eq(bucket.peak_beats),
            ]
        return m
