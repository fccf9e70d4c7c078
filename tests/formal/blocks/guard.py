"""The guard: nobody but the owner changes anything, and who owns changes by the rules alone."""

from amaranth import *
from amaranth.hdl import Assert, Cover

from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import RegisterBank
from mcos_hw.control.guard import Guard
from mcos_hw.registers import RegisterMap
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field
from mcos_hw.registers.guard import GUARD_KEY, GUARD_WINDOWS, add_guard
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()


def guarded_map() -> RegisterMap:
    """The guard's registers, and one that it guards."""
    build = Builder()
    add_guard(build)
    build.add("SETTING", Access.WRITE, "A setting.", Field(name="value", width=32, description="."))
    return RegisterMap(
        name="guarded",
        description="Registers with a guard.",
        registers=tuple(build.registers),
        address_width=8,
        windows=GUARD_WINDOWS,
    )


class OwnerHarness(Harness):
    """Any write of any window, claims and releases as the bank tells them."""

    def elaborate(self, platform):
        m = Module()
        guard = Guard()
        self.prove(m, guard)
        write = guard.write
        takes_over = write.takes_over & (write.window == 0) & (write.word == GUARD_KEY)
        of_owner = guard.owned & (write.window == guard.owner)

        past = Signal()
        before = Signal.like(Cat(guard.owned, guard.owner))
        faults = Signal.like(guard.faults)
        claimed, released, took, refused = Signal(), Signal(), Signal(), Signal()
        window = Signal.like(write.window)
        happens = write.stb & write.allowed & ~write.takes_over
        m.d.sync += [
            past.eq(1),
            before.eq(Cat(guard.owned, guard.owner)),
            faults.eq(guard.faults),
            window.eq(write.window),
            claimed.eq(happens & guard.claim),
            released.eq(happens & guard.release & ~guard.claim),
            took.eq(write.stb & takes_over),
            refused.eq(guard.refused),
        ]
        now = Cat(guard.owned, guard.owner)
        was_owned, was_owner = before[0], before[1:]
        m.d.comb += [
            # Who writes: the owner, or anybody if there is none, or window 0 with the key.
            Assert(
                implies(
                    write.stb & write.allowed,
                    takes_over | (~write.takes_over & (~guard.owned | of_owner)),
                )
            ),
            Assert(guard.refused == (write.stb & ~write.allowed)),
            # An owner stays until it releases or window 0 takes over; a claim makes one of none.
            Assert(implies(past & (now != before), claimed | released | took)),
            Assert(implies(past & claimed, guard.owned & (guard.owner == window))),
            Assert(implies(past & claimed & was_owned, was_owner == window)),
            Assert(implies(past & released & was_owned, ~guard.owned & (was_owner == window))),
            Assert(implies(past & took, guard.owned & (guard.owner == 0))),
            Assert(implies(past, guard.faults == (faults + refused)[: len(faults)])),
            Cover(past & took & was_owned & (was_owner == 5)),
            Cover(past & released & was_owned),
            Cover(guard.refused & (write.window == 0) & write.takes_over),
        ]
        return m


class GuardedBankHarness(Harness):
    """A bank with its guard: what a write does, and through which window it came."""

    def elaborate(self, platform):
        m = Module()
        bank = RegisterBank(guarded_map(), constants={})
        m.submodules.guard = guard = Guard()
        self.prove(m, bank)
        self.given(bank.guard.allowed)
        bus = bank.s_axil
        claim, release, takeover, setting = (
            getattr(bank, name)
            for name in ("guard_claim", "guard_release", "guard_takeover", "setting")
        )
        m.d.comb += [
            guard.write.stb.eq(bank.guard.stb),
            guard.write.window.eq(bank.guard.window),
            guard.write.takes_over.eq(bank.guard.takes_over),
            guard.write.word.eq(bank.guard.word),
            bank.guard.allowed.eq(guard.write.allowed),
            guard.claim.eq(claim.stb & claim.claim),
            guard.release.eq(release.stb & release.release),
        ]

        # The window of the address that was taken last.
        window = Signal(range(GUARD_WINDOWS))
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += window.eq(bus.awaddr[bank.registers.map_width :])
        changes = claim.stb | release.stb | setting.stb
        mine = ~guard.owned | (guard.owner == window)
        m.d.comb += [
            self.invariant(implies(~bus.awready, bank.guard.window == window)),
            Assert(implies(changes, mine)),
            Assert(implies(takeover.stb, (window == 0) & (takeover.key == GUARD_KEY))),
            Cover(setting.stb & guard.owned & (guard.owner == 3)),
            Cover(takeover.stb & guard.owned & (guard.owner == 3)),
            Cover(guard.refused & ~bank.guard.takes_over),
        ]
        return m


PROPERTIES = (
    Property(
        name="guard.owner",
        claim=(
            "A write is let through if it is the owner's, if there is no owner, or as a takeover "
            "of window 0 with the key; the owner changes by a claim, its release or a takeover."
        ),
        block="mcos_hw.control.guard.Guard",
        config=CONFIG,
        harness=OwnerHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.control.guard",
            text="(write.window == 0) & (write.word == GUARD_KEY)",
            instead="(write.window == 0) | (write.word == GUARD_KEY)",
        ),
        reach=6,
    ),
    Property(
        name="guard.bank",
        claim="While there is an owner, no write through another window reaches a register.",
        block="mcos_hw.control.bank.RegisterBank",
        config=CONFIG,
        harness=GuardedBankHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.control.bank",
            text="event.stb.eq(write & guard.allowed)",
            instead="event.stb.eq(write)",
        ),
        reach=14,
    ),
)
