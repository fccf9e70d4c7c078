"""The generic target with its probe as one more port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.flat import FlatTop
from mcos_sim.ported.lanes import lanes_of
from mcos_sim.ported.ported import controller_of
from mcos_sim.ported.ported_fabric import crossing_layout
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
    channels : int
        How many channels there are. Of several, members of each have its number, two digits.

    Members
    -------
    probe : Out
        Packed :func:`mcos_hw.channel.probe.probe_layout`.
    granted : Out(1)
        A grant is made in this clock.
    granted_tenant, granted_class : Out
        To whom, and as what.
    <port> : In and Out
        As :class:`mcos_hw.targets.generic.GenericTop` has them, or
        :class:`mcos_sim.ported.ported_fabric.PortedFabric`.
    probe_crossing_<c> : Out
        Packed :func:`mcos_sim.ported.ported_fabric.crossing_layout` of each of several channels.
    """

    def __init__(
        self,
        config: ChannelConfig,
        *,
        arbiter: ArbiterKind,
        ports: Ports = (),
        channels: int = 1,
    ) -> None:
        self.controller = controller_of(config, arbiter, ports, channels)
        self.lanes = lanes_of(ports, channels)
        self.top = FlatTop(self.controller, config, name="controller")
        members = dict(self.top.signature.members.items())
        for suffix in self.lanes.of_channels:
            members |= {
                f"probe{suffix}": Out(probe_layout(config).size),
                f"granted{suffix}": Out(1),
                f"granted_tenant{suffix}": Out(config.tenant_width),
                f"granted_class{suffix}": Out(2),
            }
            if channels > 1:
                members[f"probe_crossing{suffix}"] = Out(crossing_layout(config).size)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        m.submodules.top = top = self.top
        for name, member in top.signature.members.items():
            ours, theirs = getattr(self, name), getattr(top, name)
            m.d.comb += theirs.eq(ours) if member.flow is In else ours.eq(theirs)
        for suffix in self.lanes.of_channels:
            probe = getattr(self.controller, f"probe{suffix}")
            m.d.comb += [
                getattr(self, f"probe{suffix}").eq(probe),
                getattr(self, f"granted{suffix}").eq(probe.channel.granted),
                getattr(self, f"granted_tenant{suffix}").eq(probe.channel.tenant),
                getattr(self, f"granted_class{suffix}").eq(probe.channel.granted_class),
            ]
            if suffix:
                crossing = f"probe_crossing{suffix}"
                m.d.comb += getattr(self, crossing).eq(getattr(self.controller, crossing))
        return m
