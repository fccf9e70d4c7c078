"""What a channel shows of its state, every clock: for waveforms, checks and lockstep."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.base import ArbiterState, arbiter_state_signature
from mcos_hw.channel.pacer import debt_width
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS, Classes, classes_signature
from mcos_hw.link.epoch import Epoch, epoch_signature
from mcos_hw.link.events import Events, events_signature
from mcos_hw.link.grant import Grant, grant_class, grant_signature
from mcos_hw.link.queue import QueueView, queue_view_signature
from mcos_hw.link.tokens import Tokens, level_width, tokens_signature
from mcos_hw.primitive.select import number
from mcos_hw.registers import LATENCY_BINS

__all__ = [
    "Probe",
    "probe_layout",
]


def probe_layout(config: ChannelConfig) -> data.StructLayout:
    """State at the beginning of a clock, and the choice made in it.

    Members of ``tenants[i]``:

    - ``queued``: requests that were taken and not granted;
    - ``present``: one of them is the head;
    - ``beats``: beats of the head, 0 without one;
    - ``class_code``: :class:`GrantClass` of the head, or :data:`NO_CLASS`;
    - ``serviceable``: the head may be granted when the pacer and the port allow;
    - ``candidate``: the arbiter's last round of choice includes the head;
    - ``age``: clocks the head has been serviceable;
    - ``start``, ``finish``: tags, modulo ``2**tag_width``;
    - ``committed``, ``peak``: token levels, in ``2**-rate_fraction`` bytes, signed.

    Members of ``channel``:

    - ``virtual_time``: V, modulo ``2**tag_width``;
    - ``open``: pacer and port take a grant in this clock;
    - ``granted``, ``promoted``, ``tenant``, ``beats``: the grant of this clock, and
      ``granted_class``: as what it was chosen in the clock before;
    - ``in_flight``: bytes granted and not yet served;
    - ``debt``: bytes granted ahead of the paced rate, in ``2**-rate_fraction`` bytes;
    - ``load``: quarters of the port credit that were in flight in the clock before.

    Members of ``monitor``, what it counts in this clock beside grants:

    - ``epoch``: number of the epoch that was latched last;
    - ``busy``: the channel owes bytes;
    - ``stalled``: a command waited for memory in the clock before;
    - ``held``: a bit for each tenant whose head waits for tokens;
    - ``outside``: the bit of a tenant that sent a request outside its colours;
    - ``responded``: a response, with its ``tenant``, the bin of its latency (``bin``), and whether
      it was over its objective (``late``); 0 without one.
    """
    tenant = data.StructLayout(
        {
            "queued": config.queue_depth.bit_length(),
            "present": 1,
            "beats": config.beats_width,
            "class_code": 2,
            "serviceable": 1,
            "candidate": 1,
            "age": config.clocks_width,
            "start": config.tag_width,
            "finish": config.tag_width,
            "committed": signed(level_width(config)),
            "peak": signed(level_width(config)),
        }
    )
    channel = data.StructLayout(
        {
            "virtual_time": config.tag_width,
            "open": 1,
            "granted": 1,
            "promoted": 1,
            "tenant": config.tenant_width,
            "beats": config.beats_width,
            "granted_class": 2,
            "in_flight": config.credit_width,
            "debt": debt_width(config),
            "load": 2,
        }
    )
    monitor = data.StructLayout(
        {
            "epoch": 32,
            "busy": 1,
            "stalled": 1,
            "held": config.tenants,
            "outside": config.tenants,
            "responded": 1,
            "tenant": config.tenant_width,
            "bin": range(LATENCY_BINS),
            "late": 1,
        }
    )
    return data.StructLayout(
        {
            "channel": channel,
            "tenants": data.ArrayLayout(tenant, config.tenants),
            "monitor": monitor,
        }
    )


class Probe(wiring.Component):
    """Gathers what a channel shows of its state. It has no state of its own.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    enforces_contracts : bool
        Whether heads that no bucket covers wait.

    Members
    -------
    epoch : In(Epoch)
        The running epoch.
    view : In(QueueView)
        Heads of the queues.
    counts : In(ArrayLayout(range(queue_depth + 1), tenants))
        Requests of each tenant that were taken and not granted.
    tokens : In(Tokens)
        Token levels.
    classes : In(Classes)
        Class codes of the heads.
    ages : In(ArrayLayout(clocks_width, tenants))
        Clocks for which each head has been serviceable.
    open : In(1)
        Pacer and port take a grant in this clock.
    grant : In(Grant)
        The grant of this clock.
    state : In(ArbiterState)
        State of the arbiter.
    debt, in_flight, load : In
        State of the pacer and of the port credit.
    events : In(Events)
        What counts in this clock.
    probe : Out(probe_layout)
        All of this.
    """

    epoch: Epoch
    view: QueueView
    counts: data.View
    tokens: Tokens
    classes: Classes
    ages: data.View
    open: Signal
    grant: Grant
    state: ArbiterState
    debt: Signal
    in_flight: Signal
    load: Signal
    events: Events
    probe: data.View

    def __init__(self, config: ChannelConfig, *, enforces_contracts: bool) -> None:
        self.config = config
        self.enforces_contracts = enforces_contracts
        super().__init__(
            {
                "epoch": In(epoch_signature()),
                "view": In(queue_view_signature(config)),
                "counts": In(data.ArrayLayout(config.queue_depth.bit_length(), config.tenants)),
                "tokens": In(tokens_signature(config)),
                "classes": In(classes_signature(config)),
                "ages": In(data.ArrayLayout(config.clocks_width, config.tenants)),
                "open": In(1),
                "grant": In(grant_signature(config)),
                "state": In(arbiter_state_signature(config)),
                "debt": In(debt_width(config)),
                "in_flight": In(config.credit_width),
                "load": In(2),
                "events": In(events_signature(config)),
                "probe": Out(probe_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        channel, monitor = self.probe.channel, self.probe.monitor
        grant, events, response = self.grant, self.events, self.events.response
        m.d.comb += [
            channel.virtual_time.eq(self.state.virtual_time),
            channel.open.eq(self.open),
            channel.granted.eq(grant.valid),
            channel.promoted.eq(grant.promoted),
            channel.tenant.eq(number(grant.tenants)),
            channel.beats.eq(Mux(grant.valid, grant.beats, 0)),
            channel.granted_class.eq(grant_class(grant)),
            channel.in_flight.eq(self.in_flight),
            channel.debt.eq(self.debt),
            channel.load.eq(self.load),
            monitor.epoch.eq(self.epoch.number - 1),
            monitor.busy.eq(events.busy),
            monitor.stalled.eq(events.stalled),
            monitor.held.eq(events.held),
            monitor.outside.eq(events.outside),
            monitor.responded.eq(response.valid),
            monitor.tenant.eq(Mux(response.valid, response.tenant, 0)),
            monitor.bin.eq(Mux(response.valid, response.bin, 0)),
            monitor.late.eq(response.valid & response.late),
        ]
        serviceable = (
            self.classes.serviceable
            if self.enforces_contracts
            else Cat(each.present for each in self.view.heads)
        )
        for i in range(self.config.tenants):
            tenant, head = self.probe.tenants[i], self.view.heads[i]
            m.d.comb += [
                tenant.queued.eq(self.counts[i]),
                tenant.present.eq(head.present),
                tenant.beats.eq(Mux(head.present, head.beats, 0)),
                tenant.class_code.eq(Mux(head.present, self.classes.codes[i], NO_CLASS)),
                tenant.serviceable.eq(serviceable[i]),
                tenant.candidate.eq(self.state.candidates[i]),
                tenant.age.eq(self.ages[i]),
                tenant.start.eq(self.state.start[i]),
                tenant.finish.eq(self.state.finish[i]),
                tenant.committed.eq(self.tokens.committed[i]),
                tenant.peak.eq(self.tokens.peak[i]),
            ]
        return m
