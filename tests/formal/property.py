"""What a property is: a claim about a block, the circuit that states it, and a bug it must see."""

import dataclasses
import enum

from amaranth import *
from amaranth.hdl import Assert, Assume, ValueCastable
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from mcos_hw.config import ChannelConfig
from tests.planted import Bug

__all__ = [
    "Harness",
    "Method",
    "Property",
    "at_most_one",
    "implies",
    "past_reset",
]


def implies(premise: Value, conclusion: Value) -> Value:
    """Where the premise is not 0, neither is the conclusion."""
    return ~premise.bool() | conclusion.bool()


def at_most_one(bits: Value) -> Value:
    """No two bits are set."""
    return (bits & (bits - 1)) == 0


def past_reset(m: Module) -> Signal:
    """Set from the second clock after a reset on: what is kept was told by the block's inputs."""
    past = Signal(name="past_reset")
    m.d.sync += past.eq(1)
    return past


class Method(enum.StrEnum):
    """How a property is proved."""

    INDUCTION = "k-induction"
    """For every trace: the first ``depth + 1`` clocks, and any clock after ``depth`` good ones."""
    BOUNDED = "bmc"
    """For every trace of ``depth`` clocks from power-up."""


class Harness(Elaboratable):
    """A circuit around a block that says what must hold: ``Assume``, ``Assert`` and ``Cover``.

    Subclasses add the block with :meth:`prove` and their statements in ``elaborate``. Statements
    belong into the ``comb`` domain: they then hold in every clock, the first one included. The
    reset is an input of the proof, so a claim holds however often the block is reset; registers
    that must not notice are ``reset_less``.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    explores : bool
        Made to look for covers and the planted bug from power-up on, not to prove: without
        invariants, because a bug has to break the claim itself, and led by scenarios.
    """

    def __init__(self, config: ChannelConfig, *, explores: bool = False) -> None:
        self.config = config
        self.explores = explores
        self.ports: list[Value] = []
        self.inner: dict[str, str] = {}

    def prove(self, m: Module, block: wiring.Component) -> Module:
        """Add the block; what enters it is any value in any clock.

        Returns
        -------
        Module
            The block's inside, for its submodules: an invariant about a memory adds a read port.
        """
        m.submodules.block = block
        inside = block.elaborate(None)
        block.elaborate = lambda platform: inside
        for _, member, value in block.signature.flatten(block):
            # A stream that is always ready has a constant there.
            if member.flow == In and not isinstance(value, Const):
                self.ports.append(Value.cast(value))
        return inside

    def given(self, *values: Value) -> None:
        """What enters the block as the harness has it, not as any value."""
        given = [id(each) for each in values]
        self.ports = [each for each in self.ports if id(each) not in given]

    def invariant(self, *conditions: Value) -> list[Assert]:
        """What is no claim of its own, but holds in every clock and carries an induction."""
        return [] if self.explores else [Assert(condition) for condition in conditions]

    def scenario(self, *conditions: Value) -> list[Assume]:
        """What leads to the covers and the bug where a free search takes too long."""
        return [Assume(condition) for condition in conditions] if self.explores else []

    def instance(self, m: Module, condition: Value) -> None:
        """Use an invariant that speaks of any constant for a value that changes.

        The invariant holds for all constants in this clock, so for this value too. It is used from
        the next clock on: no clock rests on itself.
        """
        if not self.explores:
            held = Signal(init=1, reset_less=True)
            m.d.sync += held.eq(condition)
            m.d.comb += Assume(held)

    def look(self, path: str, shape) -> Signal:
        """A signal inside of the block, by its name and those of the submodules before it.

        Only for invariants that an induction needs; a claim speaks of the block's members.
        """
        signal = self.any_value(shape, name=f"inner_{len(self.inner)}")
        self.inner[Value.cast(signal).name] = f"block.{path}"
        return signal

    def any_value(self, shape, *, name: str) -> Signal:
        """A signal that has any value in any clock."""
        signal = Signal(shape, name=name)
        self.ports.append(Value.cast(signal))
        return signal

    def any_constant(self, m: Module, shape, *, name: str) -> Signal:
        """A signal that has any value, the same in all clocks: what holds for it holds for all."""
        signal = self.any_value(shape, name=name)
        before = Signal(shape, name=f"{name}_before", reset_less=True)
        known = Signal(name=f"{name}_known", reset_less=True)
        m.d.sync += [before.eq(signal), known.eq(1)]
        m.d.comb += Assume(~known | (_bits(signal) == _bits(before)))
        return signal


def _bits(value: Value | ValueCastable) -> Value:
    return Value.cast(value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Property:
    """A claim, how it is proved, and how one sees that the proof says something.

    Parameters
    ----------
    name : str
        Unique; ``<block>.<claim>`` in words with underscores.
    claim : str
        One sentence.
    block : str
        Full name of the component it is about.
    config : ChannelConfig
        Its sizes.
    reach_config : ChannelConfig or None
        Smaller sizes for covers and bug, where the way from power-up to them is too long.
    harness : type[Harness]
        States the claim. Needs a ``Cover`` of what makes the claim interesting.
    method : Method
        How it is proved.
    depth : int
        Clocks, see :class:`Method`.
    bug : Bug
        Makes the claim wrong.
    reach : int
        Clocks from power-up within which the covers are reached and the bug is seen.
    skip : int
        The first of these clocks in which they are looked for; saves time where it is long.
    slow : bool
        Takes more than a few seconds; not for every run of the tests.
    """

    name: str
    claim: str
    block: str
    config: ChannelConfig
    harness: type[Harness]
    method: Method
    depth: int
    bug: Bug
    reach: int
    reach_config: ChannelConfig | None = None
    skip: int = 0
    slow: bool = False
