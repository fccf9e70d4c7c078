"""What happens in a clock, gathered for the counters and the probe."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import Arrival, arrival_signature
from mcos_hw.link.classes import Classes, classes_signature
from mcos_hw.link.contract import ContractRead, contract_read_signature
from mcos_hw.link.events import Events, events_signature
from mcos_hw.link.grant import (
    Departure,
    Grant,
    departure_signature,
    grant_class,
    grant_signature,
)
from mcos_hw.link.served import Served, served_signature
from mcos_hw.registers import LATENCY_BINS, GrantClass

__all__ = ["Observer"]


class Observer(wiring.Component):
    """Turns what the blocks of a channel say into the events that count in a clock.

    It counts nothing: :class:`mcos_hw.channel.monitor.Monitor` does.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    now : In(stamp_width)
        Clocks since reset, modulo.
    contract : Out(ContractRead)
        Reads the latency objective of a tenant in clocks; 0 makes no response late.
    arrival : In(Arrival)
        Whose request approaches its queue outside its colours.
    classes : In(Classes)
        Heads that are held.
    grant : In(Grant)
        The grant of this clock.
    departure : In(Departure)
        The request that was granted in the clock before.
    served : In(Served)
        The response of this clock.
    owes : In(1)
        Granted bytes are owed to the pacer or unserved at the port in this clock.
    stalls : In(1)
        A command waits for memory in this clock.
    events : Out(Events)
        What counts in this clock.
    """

    now: Signal
    contract: ContractRead
    arrival: Arrival
    classes: Classes
    grant: Grant
    departure: Departure
    served: Served
    owes: Signal
    stalls: Signal
    events: Events

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "now": In(config.stamp_width),
                "contract": Out(contract_read_signature(config, "latency_slo")),
                "arrival": In(arrival_signature(config)),
                "classes": In(classes_signature(config)),
                "grant": In(grant_signature(config)),
                "departure": In(departure_signature(config)),
                "served": In(served_signature(config)),
                "owes": In(1),
                "stalls": In(1),
                "events": Out(events_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        events, approach, request = self.events, self.arrival.approach, self.departure.request
        granted_class = Signal(GrantClass)
        was_class = Signal(GrantClass)
        m.d.comb += [
            granted_class.eq(grant_class(self.grant)),
            events.grant.class_code.eq(was_class),
            events.busy.eq(self.owes),
            events.grant.valid.eq(self.departure.valid),
            events.grant.tenant.eq(request.tenant),
            events.grant.op.eq(request.op),
            events.grant.beats.eq(request.beats),
        ]
        m.d.sync += [
            events.stalled.eq(self.stalls),
            events.held.eq(self.classes.held),
            events.outside.eq(Mux(approach.outside, approach.tenants, 0)),
            was_class.eq(granted_class),
            events.grant.promoted.eq(self.grant.promoted),
        ]
        self._time_responses(m, events.response)
        return m

    def _time_responses(self, m: Module, response) -> None:
        """Latency in three steps: the stamps, their difference, what it means."""
        config, entry = self.config, self.served.entry
        served = Signal(2)
        answered = Signal(config.stamp_width)
        offered = Signal(config.stamp_width)
        answered_tenant = Signal(config.tenant_width)
        served_tenant = Signal(config.tenant_width)
        latency = Signal(config.stamp_width)
        objective = Signal(config.clocks_width)
        m.d.comb += self.contract.tenant.eq(answered_tenant)
        m.d.sync += [
            Cat(served, response.valid).eq(Cat(self.served.valid, served)),
            answered.eq(self.now),
            offered.eq(entry.offered),
            answered_tenant.eq(entry.tenant),
            served_tenant.eq(answered_tenant),
            latency.eq(answered - offered),
            objective.eq(self.contract.row.latency_slo),
            response.bin.eq(0),
            response.tenant.eq(served_tenant),
            response.late.eq((objective != 0) & (latency > objective)),
        ]
        for position in range(1, config.stamp_width):
            with m.If(latency[position]):
                m.d.sync += response.bin.eq(min(position, LATENCY_BINS - 1))
