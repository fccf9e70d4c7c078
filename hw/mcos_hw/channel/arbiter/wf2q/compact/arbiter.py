"""The MCOS arbiter in fewer gates: WF2Q+ with a grant in some clocks."""

from amaranth import *
from amaranth.lib import data

from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.arbiter.wf2q.compact.keys import HeadKeys, time_copies
from mcos_hw.channel.arbiter.wf2q.compact.tags import HeadTags
from mcos_hw.channel.arbiter.wf2q.compact.tournament import Tournament
from mcos_hw.channel.arbiter.wf2q.compact.virtual_time import SpacedVirtualTime
from mcos_hw.primitive.select import pick
from mcos_hw.registers import ArbiterKind, GrantClass

__all__ = ["CompactArbiter"]


class CompactArbiter(Arbiter):
    """WF2Q+ in exact order, by a tournament of the heads that takes some clocks.

    The order is that of :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` with L = 0: the same
    classes, promotions, candidates, jumps and ties. Two things are simpler. Only heads have tags,
    so a stale head makes only itself stale: the one behind it starts at the anchor. And nothing is
    prepared for a second grant, so grants have to be ``grant_interval`` clocks apart or more, which
    the channel sees to.

    A *look* begins in every clock: all heads as they are in it enter the tournament. The grant of
    clock t is by the look of clock t - ``look_clocks``, whatever came since. The looks that may be
    granted by see V and all tags as the last grant left them::

        clock            0      1      2      3     ...    N
        grant           |x                                |x
        head, its class        |head  |class
        S, F, V                             |x
        first look                          |x
        that look's best                                  |x

    N is ``grant_interval``; where the tournament has fewer clocks than N - 3, looks begin later. If
    a promotion that a look saw is withdrawn, nothing is granted by it.

    Parameters
    ----------
    config : ChannelConfig
        Sizes, of a compact channel.

    Members
    -------
    See :class:`mcos_hw.channel.arbiter.base.Arbiter`.

    Raises
    ------
    ValueError
        If the channel is not compact.
    """

    kind = ArbiterKind.MCOS
    enforces_contracts = True
    looks_behind = False
    # A new head gets its tags from its s / w.
    mark = "cost"
    mark_ahead = 0

    def __init__(self, config) -> None:
        if not config.compact:
            raise ValueError(
                f"grant_interval must be more than 1 for a compact arbiter, "
                f"not {config.grant_interval!r}"
            )
        super().__init__(config)

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        entry, approach = self.arrival.entry, self.arrival.approach
        heads = Cat(each.present for each in self.view.heads)
        seconds = Cat(each.present for each in self.view.nexts)

        m.submodules.keys = keys = HeadKeys(config)
        m.submodules.tournament = tournament = Tournament(config)
        m.submodules.tags = tags = HeadTags(config)
        m.submodules.virtual_time = virtual_time = SpacedVirtualTime(
            config, copies=time_copies(config)
        )
        best = tournament.best
        starts = [each.start for each in tags.tags]

        recent = Signal()
        m.d.sync += recent.eq(approach.recent)
        m.d.comb += [
            self.nominates.eq(self.open & best.present),
            self.nominee.eq(best.tenants),
            tags.nominates.eq(self.nominates),
            tags.nominee.eq(self.nominee),
            tags.nominee_number.eq(best.tenant),
            tags.grant.eq(self.grant.valid),
            tags.follows.eq((best.tenants & (seconds | entry.tenants)).any()),
            tags.enters.eq(entry.tenants & ~heads),
            tags.recent.eq(recent),
            tags.prices.eq(self.marks),
            tags.stale.eq(keys.stale),
            tags.time.eq(virtual_time.value),
        ]
        m.d.comb += [
            keys.times.eq(virtual_time.copies),
            keys.starts.eq(Cat(starts)),
            keys.tagged.eq(tags.tagged),
            keys.written.eq(tags.written.tenants),
            keys.class_codes.eq(self.classes.codes),
            keys.promote.eq(self.promote),
            keys.overcommitted.eq(self.live.channel.overcommitted),
            keys.priorities.eq(Cat(each.priority for each in self.live.tenants)),
            tournament.entrants.eq(keys.entrants),
            tournament.turned.eq(keys.turned),
            tournament.written.eq(tags.written),
        ]
        m.d.comb += [
            virtual_time.inverse_total_weight.eq(self.live.channel.inverse_total_weight),
            virtual_time.grant.eq(self.grant.valid),
            virtual_time.beats.eq(self.grant.beats),
            virtual_time.promoted.eq(self.grant.promoted),
            virtual_time.start.eq(tags.granted_start),
            virtual_time.stale.eq(tags.granted_stale),
        ]

        self._grant(m, best)
        m.d.comb += [
            self.state.virtual_time.eq(virtual_time.value),
            self.state.candidates.eq(keys.candidates),
            self.state.start.eq(Cat(starts)),
            self.state.finish.eq(Cat(tags.tags[i].finish for i in tenants)),
        ]
        return m

    def _grant(self, m: Module, best: data.View) -> None:
        """Drive :class:`mcos_hw.link.grant.Grant`: class and promotion are those of the look."""
        tenants = self.config.tenants
        stands = Signal()
        m.d.comb += [
            stands.eq(~best.promoted | (best.tenants & self.promote).any()),
            self.grant.valid.eq(self.open & best.present & stands),
            self.grant.tenants.eq(Mux(self.grant.valid, best.tenants, 0)),
            self.grant.beats.eq(pick(best.tenants, [each.beats for each in self.view.heads])),
            self.grant.promoted.eq(self.grant.valid & best.promoted),
            self.grant.conforming.eq((best.class_code == GrantClass.CONFORMING).replicate(tenants)),
            self.grant.burst.eq((best.class_code == GrantClass.BURST).replicate(tenants)),
        ]
