"""Clients at the registers of the movement engines, and engines that answer when they like."""

import random
from collections import deque

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.movement import Operation, Outcome, Reason
from mcos_hw.movement.pages import MovementPages
from mcos_hw.movement.settings import SETTINGS
from mcos_hw.registers.declaration import Access
from mcos_hw.registers.movement import (
    LEASE_TICK_CLOCKS,
    MOVEMENT_MAGIC,
    SETTINGS_PAGE,
    client_page,
    movement_map,
)
from tests.hw.channel.bench import simulation
from tests.hw.control.software import Software
from tests.hw.movement.client import MOVEMENT
from tests.planted import Bug

CHANNEL = ChannelConfig(tenants=4, bytes_per_clock=8, beat_bytes=8, max_beats=8, address_width=40)
FABRIC = FabricConfig(channel=CHANNEL, ports=(PortConfig(inner=True),))
REGISTERS = movement_map()
ROOM = MOVEMENT.commands
TENANTS = FABRIC.channel.tenants
TIERS = len(MOVEMENT.frames)


class Engines:
    """Take commands and complete them; both as often as they are told."""

    def __init__(self, bench, rng):
        self.bench, self.rng = bench, rng
        self.takes = self.completes = 1.0
        self.commands = []
        self.under_way = deque()
        self.completed = []

    async def tick(self, clocks=1):
        """Clocks of the component, with the engines at work."""
        bench = self.bench
        for _ in range(clocks):
            ends = bool(self.under_way) and self.rng.random() < self.completes
            bench.set(**{"commands.ready": self.rng.random() < self.takes})
            bench.set(**{"completions.valid": ends})
            if ends:
                command = self.under_way[0]
                bench.set(**{"completions.payload": self.completion(command)})
                assert bench.get("completions.ready")
                self.completed.append(self.under_way.popleft())
            if bench.get("commands.valid") and bench.get("commands.ready"):
                self.commands.append(bench.get("commands.payload"))
                self.under_way.append(self.commands[-1])
            await bench.tick()

    def completion(self, command):
        """What tells of which command it is, in all fields."""
        rng = random.Random(f"{command['tenant']} {command['number']}")
        return {
            "number": command["number"],
            "tenant": command["tenant"],
            "outcome": rng.choice(list(Outcome)),
            "reason": rng.choice(list(Reason)),
            "tier": rng.randrange(TIERS),
            "address": rng.getrandbits(FABRIC.channel.address_width),
            "version": rng.getrandbits(32),
            "term": rng.getrandbits(16),
        }


class Page(Software):
    """Software that has one page mapped."""

    def __init__(self, bench, page, engines):
        super().__init__(bench, REGISTERS, window=page, tick=engines.tick)
        self.page = page
        self.held = {}

    async def fields(self, name, index=0):
        return REGISTERS[name].unpack(await self.read(name, index))

    async def set(self, name, **fields):
        return await self.put(name, REGISTERS[name].pack(**fields))

    async def describe(self, rng, some=1.0):
        """Writes parts of a command, not those that may stay as they are."""
        for name in ("OBJECT_LOW", "OBJECT_HIGH", "VERSION", "READERS", "CHECKSUM", "TERMS"):
            if rng.random() >= some and name in self.held:
                continue
            register = REGISTERS[name]
            word = rng.getrandbits(32) & register.mask
            self.held[name] = register.unpack(word)
            assert await self.put(name, word) == Response.OKAY

    def command(self, number, operation):
        """The command that the engines are to see."""
        held = self.held
        return {
            "number": number,
            "tenant": self.page - client_page(0),
            "operation": operation,
            "object": held["OBJECT_HIGH"]["bits"] << 32 | held["OBJECT_LOW"]["bits"],
            "version": held["VERSION"]["version"],
            "readers": held["READERS"]["readers"] & (1 << TENANTS) - 1,
            "checksum": held["CHECKSUM"]["sum"],
            **held["TERMS"],
        }

    async def give(self, number, operation=Operation.ACCESS):
        return await self.set("COMMAND", number=number, operation=operation)

    async def completion(self):
        """The oldest completion as the engines gave it, or None."""
        head = await self.fields("COMPLETION")
        if not head.pop("valid"):
            assert not any(head.values())
            return None
        address = await self.read("COMPLETION_ADDRESS_LOW")
        address |= await self.read("COMPLETION_ADDRESS_HIGH") << 32
        version = await self.read("COMPLETION_VERSION")
        place = await self.fields("COMPLETION_PLACE")
        tenant = self.page - client_page(0)
        return head | place | {"tenant": tenant, "address": address, "version": version}


def run(scenario, *, seed=1):
    async def testbench(bench):
        rng = random.Random(seed)
        engines = Engines(bench, rng)
        pages = [Page(bench, page, engines) for page in range(TENANTS + 2)]
        await scenario(bench, engines, pages, rng)

    simulation(MovementPages, FABRIC, MOVEMENT).run(testbench)


def test_registers_say_what_was_built_and_whose_page_it_is():
    async def scenario(bench, engines, pages, rng):
        for page in pages:
            assert await page.read("MOVEMENT") == MOVEMENT_MAGIC
            assert await page.read("MAP_HASH") == REGISTERS.hash
            assert await page.read("FRAME") == MOVEMENT.frame_bytes
            client = client_page(0) <= page.page < client_page(TENANTS)
            tenant = page.page - client_page(0) if client else 0
            found = await page.fields("PAGE")
            assert found == {"page": page.page, "client": client, "tenant": tenant}
            queue = await page.fields("QUEUE")
            assert queue == {"room": ROOM if client else 0, "completions": 0}
        sizes = await pages[0].fields("SIZES")
        assert sizes == {"tenants": TENANTS, "tiers": TIERS, "commands": ROOM}
        for tier, frames in enumerate(MOVEMENT.frames):
            bench.set(**{f"left.{tier}": 3 + tier})
            assert await pages[1].read("TIER_FRAMES", tier) == frames
            assert await pages[1].read("TIER_FREE", tier) == 3 + tier
        assert await pages[1].read("TIER_FREE", 7) == 0

    run(scenario)


def test_commands_and_completions_of_clients_do_not_mix():
    """Clients at random; each command arrives as it was written, each completion once."""

    async def scenario(bench, engines, pages, rng):
        clients = pages[client_page(0) : client_page(TENANTS)]
        expected = {client.page: deque() for client in clients}
        given, count = [], 0
        for step in range(150):
            if step % 50 == 0:
                engines.takes, engines.completes = rng.choice([0.05, 1]), rng.choice([0.02, 1])
            client = rng.choice(clients)
            waits = expected[client.page]
            room = (await client.fields("QUEUE"))["room"]
            assert room == ROOM - len(waits)
            if room and rng.random() < 0.6:
                await client.describe(rng, some=0.3)
                count += 1
                operation = rng.choice(list(Operation))
                assert await client.give(count, operation) == Response.OKAY
                waits.append(client.command(count, operation))
                given.append(waits[-1])
                continue
            found = await client.completion()
            if found is not None:
                oldest = waits.popleft()
                assert found == engines.completion(oldest)
                assert await client.set("COMPLETION_TAKE", take=1) == Response.OKAY
        engines.takes = engines.completes = 1
        await engines.tick(200)

        def of(commands, tenant):
            return [each for each in commands if each["tenant"] == tenant]

        assert count > 40
        for tenant in range(TENANTS):
            assert of(engines.commands, tenant) == of(given, tenant)
        for outcome in Outcome:
            ended = sum(
                engines.completion(each)["outcome"] == outcome for each in engines.completed
            )
            assert await pages[0].read("OUTCOMES", outcome) == ended
        assert await pages[0].read("REFUSED") == 0

    run(scenario)


def test_a_client_without_room_is_refused_and_holds_nobody():
    async def scenario(bench, engines, pages, rng):
        full, other = pages[client_page(2)], pages[client_page(3)]
        await full.describe(rng)
        await other.describe(rng)
        for number in range(ROOM):
            assert await full.give(number) == Response.OKAY
        await engines.tick(20)
        assert await full.fields("QUEUE") == {"room": 0, "completions": ROOM}
        assert await full.give(ROOM) == Response.SLVERR
        for number in range(3 * ROOM):
            assert await other.give(number) == Response.OKAY
            assert (await other.completion())["number"] == number
            assert await other.set("COMPLETION_TAKE", take=1) == Response.OKAY
        assert len(engines.commands) == 4 * ROOM
        assert await full.set("COMPLETION_TAKE", take=0) == Response.OKAY
        assert await full.give(ROOM) == Response.SLVERR
        assert await full.set("COMPLETION_TAKE", take=1) == Response.OKAY
        assert await full.give(ROOM) == Response.OKAY
        for number in range(1, ROOM + 1):
            assert (await full.completion())["number"] == number
            assert await full.set("COMPLETION_TAKE", take=1) == Response.OKAY
        assert await full.set("COMPLETION_TAKE", take=1) == Response.SLVERR
        assert await full.read("REFUSED") == 3

    run(scenario)


def test_clients_that_all_wait_take_turns():
    async def scenario(bench, engines, pages, rng):
        engines.takes = 0
        for tenant in (0, 1, 3):
            client = pages[client_page(tenant)]
            await client.describe(rng)
            for number in range(3):
                assert await client.give(number) == Response.OKAY
        engines.takes = 1
        await engines.tick(24)
        turns = [each["tenant"] for each in engines.commands]
        assert len(turns) == 9
        # The first was offered before the others came.
        assert sorted(turns[1:4]) == sorted(turns[4:7]) == [0, 1, 3]

    run(scenario)


WRITABLE = [each.name for each in REGISTERS.registers if each.access is Access.WRITE]


def test_a_page_refuses_what_is_not_for_it():
    """Everything is refused through a page behind the clients', and nothing happens."""

    async def scenario(bench, engines, pages, rng):
        refused = 0
        for name in WRITABLE:
            word = REGISTERS[name].mask
            wrong = [pages[-1]]
            wrong += pages[1:2] if name in SETTINGS else [pages[SETTINGS_PAGE]]
            for page in wrong:
                assert await page.put(name, word) == Response.SLVERR
                refused += 1
        settings = pages[SETTINGS_PAGE]
        for name, fields in (
            ("SET_BASE", {"tier": TIERS}),
            ("SET_QUOTA", {"tier": TIERS}),
            ("SET_QUOTA", {"tenant": TENANTS}),
            ("SET_QUOTA", {"frames": 2 << MOVEMENT.frame_width}),
            ("SET_TAG", {"tag": TENANTS}),
            ("SET_TAG", {"tenant": TENANTS}),
        ):
            assert await settings.set(name, **fields) == Response.SLVERR
            refused += 1
        assert await settings.put("LEASE_CLOCK", 0) == Response.SLVERR
        assert await settings.put_at(0xFF0, 0) == Response.DECERR
        assert await settings.read("REFUSED") == refused
        await engines.tick(20)
        assert not engines.commands
        assert bench.get("up") == bench.get("lease") == 0
        assert bench.get("quota") == [[0] * TENANTS] * TIERS
        assert bench.get("irq") == 0

    run(scenario)


def test_settings_hold():
    async def scenario(bench, engines, pages, rng):
        page = pages[SETTINGS_PAGE]
        assert [bench.get(f"movement_tags.{t}") for t in range(TENANTS)] == list(range(TENANTS))
        bases, quota, tags = {}, [[0] * TENANTS for _ in range(TIERS)], {}
        for tier in range(TIERS):
            bases[tier] = rng.getrandbits(FABRIC.channel.address_width) & ~0xFF
            await page.set("SET_BASE_HIGH", address=bases[tier] >> 32)
            await page.set("SET_BASE", tier=tier, address=(bases[tier] & 0xFFFFFFFF) >> 8)
            for tenant in range(TENANTS):
                quota[tier][tenant] = rng.randrange(32)
                await page.set("SET_QUOTA", tier=tier, tenant=tenant, frames=quota[tier][tenant])
        for tenant in range(TENANTS):
            tags[tenant] = rng.randrange(TENANTS)
            await page.set("SET_TAG", tenant=tenant, tag=tags[tenant])
        await page.set("SET_UP", up=0b101)
        await page.set("SET_LEASE", ticks=77)
        assert {tier: bench.get(f"bases.{tier}") for tier in bases} == bases
        assert {tenant: bench.get(f"movement_tags.{tenant}") for tenant in tags} == tags
        assert bench.get("quota") == quota
        assert (bench.get("up"), bench.get("lease")) == (0b101, 77)
        assert await page.read("TIERS_UP") == 0b101

    run(scenario)


def test_the_lease_clock_ticks():
    async def scenario(bench, engines, pages, rng):
        for clock in range(2 * LEASE_TICK_CLOCKS + 2):
            assert bench.get("lease_clock") == clock // LEASE_TICK_CLOCKS
            await bench.tick()
        assert await pages[1].read("LEASE_CLOCK") == 2

    run(scenario)


@pytest.mark.parametrize("enabled", [0, 1])
def test_a_completion_that_waits_interrupts(enabled):
    async def scenario(bench, engines, pages, rng):
        client = pages[client_page(1)]
        await client.describe(rng)
        await client.set("INTERRUPT", enabled=enabled)
        for number in range(2):
            await client.give(number)
        await engines.tick(20)
        for _ in range(2):
            assert bench.get("irq") == enabled << 1
            await client.set("COMPLETION_TAKE", take=1)
        assert bench.get("irq") == 0

    run(scenario)


BUGS = {
    "a command is another tenant's": (
        test_commands_and_completions_of_clients_do_not_mix,
        Bug(
            module="mcos_hw.movement.mailboxes",
            text="write.data.tenant.eq(self.writer)",
            instead="write.data.tenant.eq(0)",
        ),
    ),
    "a completion is shown to another client": (
        test_commands_and_completions_of_clients_do_not_mix,
        Bug(
            module="mcos_hw.movement.mailboxes",
            text="at_index(self.reader, first), self.reader",
            instead="at_index(self.reader, first), self.writer",
        ),
    ),
    "a full queue takes a command": (
        test_a_client_without_room_is_refused_and_holds_nobody,
        Bug(
            module="mcos_hw.movement.pages",
            text="may &= at_index(writer, mailboxes.room) != 0",
            instead="may &= 1",
        ),
    ),
    "a client sets the engines up": (
        test_a_page_refuses_what_is_not_for_it,
        Bug(
            module="mcos_hw.movement.pages",
            text="may = page == SETTINGS_PAGE",
            instead="may = page < SETTINGS_PAGE + 2",
        ),
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_bug_is_seen(name):
    test, bug = BUGS[name]
    simulation.cache_clear()
    with bug.planted(), pytest.raises(AssertionError):
        test()
    simulation.cache_clear()
