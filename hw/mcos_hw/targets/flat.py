"""A component whose ports are plain vectors, as any tool and any board takes them."""

from collections.abc import Iterator

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.targets.ports import Port, group_of, meaning_of

__all__ = ["FlatTop"]


_DIRECTIONS = {In: "input", Out: "output"}


class FlatTop(wiring.Component):
    """A component with single underscores in the names of its ports, one port a field.

    Probes are left unconnected, for synthesis to prune, and the signals that are constant are left
    out.

    Parameters
    ----------
    component : wiring.Component
        The component.
    config : ChannelConfig
        Sizes of its channel.
    name : str
        Name of its instance.

    Members
    -------
    <port> : In and Out
        As the component has them; see :attr:`ports`.
    """

    def __init__(self, component: wiring.Component, config: ChannelConfig, *, name: str) -> None:
        self._component = component
        self._config = config
        self._name = name
        super().__init__({name: flow(len(value)) for name, flow, value in _flattened(component)})

    @property
    def ports(self) -> tuple[Port, ...]:
        """Ports of the Verilog module, clock and reset included."""
        rows = [("clk", In, 1), ("rst", In, 1)]
        rows += [
            (name, member.flow, Shape.cast(member.shape).width)
            for name, member in self.signature.members.items()
        ]
        return tuple(
            Port(
                name=name,
                direction=_DIRECTIONS[flow],
                width=width,
                group=group_of(name),
                meaning=meaning_of(name, self._config),
            )
            for name, flow, width in rows
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules[self._name] = self._component
        for name, flow, value in _flattened(self._component):
            port = getattr(self, name)
            m.d.comb += port.eq(value) if flow is Out else value.eq(port)
        return m


def _flattened(component: wiring.Component) -> Iterator[tuple[str, wiring.Flow, Value]]:
    """Every plain signal at the component's boundary, with the name of its port."""
    for path, member, value in component.signature.flatten(component):
        if path[0] == "probe" or path[0].startswith("probe_") or isinstance(value, Const):
            continue
        name = "_".join(str(part) for part in path if part != "payload")
        if isinstance(value, data.View):
            for field, _ in value.shape():
                yield f"{name}_{field}", member.flow, Value.cast(value[field])
        else:
            yield name, member.flow, value
