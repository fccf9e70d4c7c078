# amaranth: UnusedElaboratable=no

import functools

from amaranth.sim import Simulator

from mcos_hw.control.store import ConfigStore
from mcos_hw.registers import Access, Field, Register, RegisterMap


def field(name, width, low=0):
    return Field(name=name, width=width, low=low, description="A field.")


def register(name, offset, access, *fields, count=1):
    return Register(
        name=name,
        offset=offset,
        access=access,
        fields=fields,
        description="A register.",
        count=count,
    )


REGISTERS = RegisterMap(
    name="small",
    description="Two image registers, and one that is none.",
    registers=(
        register("OTHER", 0x0, Access.READ, field("other", 32)),
        register("MODE", 0x4, Access.IMAGE, field("fast", 1), field("level", 4, low=4)),
        register("RATE", 0x8, Access.IMAGE, field("rate", 32), count=2),
    ),
    address_width=8,
)

# Places, what is put there, and the fields that it sets.
PLACES = (("channel", 0, 0), ("tenant", 0, 0), ("tenant", 1, 0))
WORDS = (0x71, 0xFFFF_FFFF, 0x1234_5678)
FIELDS = {"fast": 1, "level": 7, "rate": (0xFFFF_FFFF, 0x1234_5678)}
ZERO = {"fast": 0, "level": 0, "rate": (0, 0)}


def simulate(testbench):
    store = ConfigStore(REGISTERS)
    simulator = Simulator(store)
    simulator.add_clock(1e-9)
    simulator.add_testbench(functools.partial(testbench, store=store))
    simulator.run()


def read(context, layout):
    return {
        "fast": context.get(layout.channel.fast),
        "level": context.get(layout.channel.level),
        "rate": tuple(context.get(layout.tenants[i].rate) for i in range(2)),
    }


async def write(context, store, index, word):
    """Writes a word at the place of that number: kind, element and row."""
    kind, element, row = PLACES[index]
    place = getattr(store, kind)
    context.set(place.element, element)
    context.set(place.row, row)
    context.set(store.word, word)
    context.set(place.stb, 1)
    await context.tick()
    context.set(place.stb, 0)


def test_signature():
    store = ConfigStore(REGISTERS)
    assert (len(store.channel.element), len(store.tenant.element)) == (1, 2)
    assert store.shadow.shape() == store.live.shape()


def test_words_enter_the_shadow_at_their_places():
    async def testbench(context, store):
        assert read(context, store.shadow) == ZERO
        for index, word in enumerate(WORDS):
            await write(context, store, index, word)
        assert read(context, store.shadow) == FIELDS
        assert read(context, store.live) == ZERO

    simulate(testbench)


def test_nothing_is_written_without_its_strobe():
    async def testbench(context, store):
        context.set(store.word, 0xFFFF_FFFF)
        for element in range(2):
            context.set(store.tenant.element, element)
            await context.tick()
        assert read(context, store.shadow) == ZERO

    simulate(testbench)


def test_commit_changes_every_live_register_in_one_clock():
    async def testbench(context, store):
        for index, word in enumerate(WORDS):
            await write(context, store, index, word)
        context.set(store.commit_stb, 1)
        assert read(context, store.live) == ZERO
        await context.tick()
        context.set(store.commit_stb, 0)
        assert read(context, store.live) == FIELDS
        await write(context, store, 1, 5)
        assert read(context, store.live) == FIELDS

    simulate(testbench)
