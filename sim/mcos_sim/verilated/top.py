"""The generic target with its probe as one more port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.flat import FlatTop
from mcos_sim.ported.ported import controller_of
from mcos_sim.ported.sizes import Ports

__all__ = [
    "ProbedTop",
]


class ProbedTop(wiring.Component):
    """A controller with plain ports, and what its channel shows of its state.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Which arbiter the controller is built with.
    ports : Ports
        Tags at each AXI port in front of it; none without AXI.

    Members
    -------
    probe : Out
        Packed :func:`mcos_hw.channel.probe.probe_layout`.
    granted : Out(1)
        A grant is made in this clock.
    granted_tenant, granted_class : Out
        To whom, and as what.
    <port> : In and Out
        As :class:`mcos_hw.targets.generic.GenericTop` has them.
    """

    probe: Signal
    granted: Signal
    granted_tenant: Signal
    granted_class: Signal

    def __init__(self, config: ChannelConfig, *, arbiter: ArbiterKind, ports: Ports = ()) -> None:
        self.controller = controller_of(config, arbiter, ports)
        self.top = FlatTop(self.controller, config, name="controller")
        members = dict(self.top.signature.members.items())
        super().__init__(
            {
                **members,
                "probe": Out(probe_layout(config).size),
                "granted": Out(1),
                "granted_tenant": Out(config.tenant_width),
                "granted_class": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.top = top = self.top
        for name, member in top.signature.members.items():
            ours, theirs = getattr(self, name), getattr(top, name)
            m.d.comb += theirs.eq(ours) if member.flow is In else ours.eq(theirs)
        probe = self.controller.probe
        m.d.comb += [
            self.probe.eq(probe),
            self.granted.eq(probe.channel.granted),
            self.granted_tenant.eq(probe.channel.tenant),
            self.granted_class.eq(probe.channel.granted_class),
        ]
        return m
