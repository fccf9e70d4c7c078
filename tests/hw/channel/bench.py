"""Driving a component by the names of its members, clock by clock."""

import functools

from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib import data
from amaranth.sim import Simulator

__all__ = [
    "Bench",
    "Simulation",
    "boundary",
    "members",
    "pack",
    "simulate",
    "simulation",
    "unpack",
]


def members(component):
    """Width of every plain member of a component, by name, ``In`` and ``Out`` apart."""
    widths = {"in": {}, "out": {}}
    for path, member, value in component.signature.flatten(component):
        flow = "in" if member.flow.name == "In" else "out"
        widths[flow][".".join(map(str, path))] = len(Value.cast(value))
    return widths


def boundary(component):
    """Names of a component's members, bundles as one, ``In`` and ``Out`` apart."""
    names = {"in": set(), "out": set()}
    for name, member in component.signature.members.items():
        names[member.flow.name.lower()].add(name)
    return names


def pack(layout, value):
    """The bits of nested lists and dicts, as one number."""
    if isinstance(layout, data.ArrayLayout):
        return sum(
            pack(layout.elem_shape, item) << layout[i].offset for i, item in enumerate(value)
        )
    if isinstance(layout, data.StructLayout):
        return sum(
            pack(layout[key].shape, item) << layout[key].offset for key, item in value.items()
        )
    return int(value)


def unpack(layout, bits):
    """Nested lists and dicts of the bits in one number."""
    if isinstance(layout, data.Layout):
        fields = [
            (key, unpack(field.shape, bits >> field.offset & (1 << field.width) - 1))
            for key, field in layout
        ]
        if isinstance(layout, data.ArrayLayout):
            return [value for _, value in fields]
        return dict(fields)
    return bits


class Bench:
    """A component under a testbench: numbers, lists and dicts in and out by member name.

    Names of members of members have a dot, also those of an array, as ``returned.0.valid``;
    ``names`` are shorter ones of a test. A bundle takes a
    dict, of some of its members. What is set holds until it is set again. What is read belongs to
    the clock of the call.
    """

    def __init__(self, context, component, reset, names):
        self.context = context
        self.component = component
        self.names = names
        self._reset = reset

    def member(self, name):
        found = self.component
        for part in self.names.get(name, name).split("."):
            found = found[int(part)] if part.isdigit() else getattr(found, part)
        return found

    def set(self, **values):
        for name, value in values.items():
            member = self.member(name)
            if isinstance(member, data.View):
                self.context.set(member.as_value(), pack(member.shape(), value))
            elif isinstance(value, dict):
                path = self.names.get(name, name)
                self.set(**{f"{path}.{part}": inner for part, inner in value.items()})
            else:
                self.context.set(member, value)

    def get(self, name):
        member = self.member(name)
        if isinstance(member, data.View):
            return unpack(member.shape(), self.context.get(member.as_value()))
        return self.context.get(member)

    async def tick(self, clocks=1):
        for _ in range(clocks):
            await self.context.tick()

    async def reset(self):
        """One clock of reset."""
        self.context.set(self._reset, 1)
        await self.tick()
        self.context.set(self._reset, 0)


class Simulation:
    """A component whose simulator is made once and runs many testbenches, each from power-up."""

    def __init__(self, component, names=None):
        top = Module()
        top.domains.sync = sync = ClockDomain()
        top.submodules.component = component
        self._testbench = None
        self._fresh = True
        self._simulator = Simulator(top)
        self._simulator.add_clock(1e-9)

        async def process(context):
            await self._testbench(Bench(context, component, sync.rst, names or {}))

        self._simulator.add_testbench(process)

    def run(self, testbench):
        """Runs ``testbench``, a coroutine of a :class:`Bench`, to its end."""
        if not self._fresh:
            self._simulator.reset()
        self._fresh = False
        self._testbench = testbench
        self._simulator.run()


def simulate(component, testbench, names=None):
    """Runs ``testbench``, a coroutine of a :class:`Bench` with ``names``, to its end."""
    Simulation(component, names).run(testbench)


@functools.lru_cache(maxsize=4)
def simulation(component, *sizes, names=()):
    """The simulation of a component of these sizes, kept for tests that want the same one.

    Parameters
    ----------
    component : type
        Made with ``sizes``.
    names : tuple
        Pairs: shorter names of its members.
    """
    return Simulation(component(*sizes), dict(names))
