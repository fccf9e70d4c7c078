"""Modules that are elaborated once, however many instances of them a design has.

Channels of a fabric are alike, and so are its ports. Elaborating each of them takes most of the
time of a build, so an instance of the first stands for every one.
"""

import contextlib
import contextvars
from collections.abc import Generator, Iterable

from amaranth import *
from amaranth._unused import MustUse
from amaranth.back import rtlil
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In

__all__ = [
    "emit_once",
    "emitted",
]


_modules: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar(
    "modules", default=None
)


@contextlib.contextmanager
def emitted() -> Generator[dict[str, str], None, None]:
    """Have :func:`emit_once` act while the block runs; gives the RTLIL of each module by its name.

    What is elaborated outside such a block stays whole.
    """
    found: dict[str, str] = {}
    token = _modules.set(found)
    try:
        yield found
    finally:
        _modules.reset(token)


def emit_once(m: Module, module: str, names: Iterable[str]) -> None:
    """Put an instance of one module in the place of each of some submodules, which are equal.

    Nothing but members of their signatures may cross their boundaries, and they are in the domain
    ``sync`` only.

    Parameters
    ----------
    m : Module
        Parent of the submodules.
    module : str
        Name of the module. All that have it in a design are equal.
    names : Iterable[str]
        Names of the submodules in the parent.
    """
    found = _modules.get()
    if found is None:
        return
    for name in names:
        component, where = m._named_submodules[name]
        if module not in found:
            found[module] = _text(component, module)
        _count_as_used(component)
        instance = _Instance(component, module, clocked=" \\clk\n" in found[module])
        m._named_submodules[name] = instance, where


class _Instance(Elaboratable):
    """A component as an instance of a module."""

    def __init__(self, component: wiring.Component, module: str, *, clocked: bool) -> None:
        self._component = component
        self._module = module
        self._clocked = clocked

    def elaborate(self, platform):
        clocks = {"i_clk": ClockSignal(), "i_rst": ResetSignal()} if self._clocked else {}
        return Instance(
            self._module,
            **clocks,
            **{
                f"{'i' if flow is PortDirection.Input else 'o'}_{name}": value
                for name, (value, flow) in _ports(self._component).items()
            },
        )


def _ports(component: wiring.Component) -> dict[str, tuple[Value, PortDirection]]:
    """The signals of a component's members; a stream that is always ready has a constant."""
    found = {}
    for path, member, value in component.signature.flatten(component):
        signal = Value.cast(value)
        if len(signal) and not isinstance(signal, Const):
            flow = PortDirection.Input if member.flow is In else PortDirection.Output
            found["__".join(map(str, path))] = signal, flow
    return found


def _count_as_used(component: wiring.Component) -> None:
    """An instance stands for a component and for those that it was given; nothing was forgotten."""
    for each in (component, *vars(component).values()):
        if isinstance(each, MustUse):
            setattr(each, "_MustUse__used", True)  # noqa: B010  (a name that types do not know)


def _text(component: wiring.Component, module: str) -> str:
    text = rtlil.convert(component, name=module, ports=_ports(component), emit_src=False)
    # The design has a top of its own.
    return text.replace("attribute \\top 1\n", "", 1)
