# amaranth: UnusedElaboratable=no
"""Commands about objects, and what becomes of them and of the data."""

import pytest

from mcos_hw.link.job import Urgency
from mcos_hw.link.movement import Operation, Outcome, Reason
from mcos_hw.movement.hashing import row_bits
from mcos_hw.movement.table import SIDES
from tests.hw.movement.client import BASES, LEASE, MOVEMENT, run
from tests.hw.movement.test_dma import content, crc32c, fabric_of, fill

FRAME = MOVEMENT.frame_bytes


def rows(name):
    """Rows of a name in both halves of the table."""
    bits = (MOVEMENT.table_rows - 1).bit_length()
    return [
        [(name & mask).bit_count() % 2 for mask in row_bits(side, bits)] for side in range(SIDES)
    ]


NAMES_OF_ONE_ROW = [name for name in range(1000) if rows(name) == rows(0)][:9]


def ended(outcome):
    return outcome["outcome"], outcome["reason"]


async def place(client, name, rng, *, tier=1, version=1, **fields):
    """A new object with content and a published version; where it is."""
    placed = await client.do(Operation.PLACE, name, tier=tier, fallback=tier, **fields)
    assert placed["outcome"] == Outcome.DONE
    fill(client.memory, rng, placed["address"], FRAME)
    checksum = crc32c(content(client.memory, placed["address"], FRAME))
    published = await client.do(
        Operation.PUBLISH,
        name,
        version=version,
        checksum=checksum,
        checks=1,
        **{"readers": 0b1111} | fields,
    )
    assert published["outcome"] == Outcome.DONE
    assert published["version"] == version
    return placed["address"]


@pytest.mark.parametrize("channels", [1, 2])
def test_an_object_is_fetched_and_goes_back_without_a_movement(channels):
    async def scenario(client, rng):
        slow = await place(client, 7, rng, tier=2)
        assert BASES[2] <= slow
        data = content(client.memory, slow, FRAME)
        offered = len(client.memory.offered)

        there = await client.do(Operation.ACCESS, 7, version=1, tenant=3)
        assert ended(there) == (Outcome.DONE, Reason.NONE)
        assert there["tier"] == 1
        assert BASES[1] <= there["address"] < BASES[2]
        assert content(client.memory, there["address"], FRAME) == data
        # It is charged to the tag of whoever asked for it.
        moved = client.memory.offered[offered:]
        assert {tenant for *_, tenant in moved} == {3 ^ 2}
        assert sum(beats for _, side, _, beats, _ in moved if side == "writes") == FRAME // 8

        offered = len(client.memory.offered)
        again = await client.do(Operation.ACCESS, 7)
        assert again["address"] == there["address"]
        gone = await client.do(Operation.EVICT, 7)
        assert (gone["tier"], gone["address"]) == (2, slow)
        assert len(client.memory.offered) == offered
        assert client.memory.quiet

    run(fabric_of(channels), scenario, answers=0.9)


def test_first_address_within_four_clocks():
    """From the clock in which the command is taken, with the table idle."""

    async def scenario(client, rng):
        await place(client, 7, rng, tier=2)
        offered = len(client.memory.offered)
        command = client.command(Operation.ACCESS, 7)
        while not await client.clock(command):
            pass
        taken = client.memory.clock - 1
        await client.outcome(command["number"])
        assert client.memory.offered[offered][0] - taken == 4

    run(fabric_of(), scenario)


def test_a_dirty_object_is_copied_down():
    async def scenario(client, rng):
        fast = await place(client, 9, rng, tier=1)
        data = content(client.memory, fast, FRAME)
        assert client.bench.get("left.1") == 7
        gone = await client.do(Operation.EVICT, 9, tier=2)
        assert (gone["outcome"], gone["tier"]) == (Outcome.DONE, 2)
        assert content(client.memory, gone["address"], FRAME) == data
        assert client.bench.get("left.1") == 8
        assert client.bench.get("left.2") == 31

    run(fabric_of(), scenario)


def test_a_publication_makes_copies_stale():
    """The clean copy below is given up; an eviction copies what is new."""

    async def scenario(client, rng):
        await place(client, 9, rng, tier=2)
        fast = (await client.do(Operation.ACCESS, 9))["address"]
        assert client.bench.get("left.2") == 31
        fill(client.memory, rng, fast, FRAME)
        await client.do(Operation.PUBLISH, 9, version=2)
        assert client.bench.get("left.2") == 32
        data = content(client.memory, fast, FRAME)
        gone = await client.do(Operation.EVICT, 9, tier=2)
        assert content(client.memory, gone["address"], FRAME) == data

    run(fabric_of(), scenario)


def test_refusals():
    """Each with its reason, and nothing moved."""

    async def scenario(client, rng):
        await place(client, 5, rng, tier=2, readers=0b0011)
        offered = len(client.memory.offered)
        left = [client.bench.get(f"left.{tier}") for tier in range(3)]
        rejected, missing, deferred = Outcome.REJECTED, Outcome.MISSING, Outcome.DEFERRED
        for operation, name, fields, expected in (
            (Operation.ACCESS, 6, {}, (missing, Reason.UNKNOWN_OBJECT)),
            (Operation.PLACE, 5, {}, (rejected, Reason.EXISTS)),
            (Operation.PLACE, 5, {"tenant": 1}, (rejected, Reason.EXISTS)),
            (Operation.PLACE, 6, {"tier": 0, "fallback": 0}, (rejected, Reason.NO_TIER)),
            (Operation.PLACE, 6, {"tier": 7, "fallback": 5}, (rejected, Reason.NO_TIER)),
            (Operation.ACCESS, 5, {"tenant": 2}, (rejected, Reason.FOREIGN_TENANT)),
            (Operation.ACCESS, 5, {"version": 2}, (rejected, Reason.WRONG_VERSION)),
            (Operation.PREFETCH, 5, {"tier": 0}, (rejected, Reason.NO_TIER)),
            (Operation.MOVE, 5, {"tenant": 1}, (rejected, Reason.FOREIGN_TENANT)),
            (Operation.MOVE, 5, {"term": 2}, (rejected, Reason.OLD_TERM)),
            (Operation.EVICT, 5, {"term": 0, "tier": 2}, (rejected, Reason.OLD_TERM)),
            (Operation.EVICT, 5, {"tier": 2}, (rejected, Reason.MALFORMED)),
            (Operation.PUBLISH, 5, {"version": 1}, (rejected, Reason.WRONG_VERSION)),
            (Operation.PUBLISH, 5, {"version": 2, "term": 3}, (rejected, Reason.OLD_TERM)),
            (Operation.RENEW, 5, {"term": 2}, (deferred, Reason.LEASE_HELD)),
            (Operation.RENEW, 5, {"term": 9}, (rejected, Reason.OLD_TERM)),
            (Operation.ABORT, 5, {}, (missing, Reason.NOT_MOVING)),
            (15, 5, {}, (rejected, Reason.MALFORMED)),
            (Operation.PREFETCH, 5, {"urgency": 5}, (rejected, Reason.MALFORMED)),
            (Operation.PLACE, 6, {"urgency": 7}, (rejected, Reason.MALFORMED)),
        ):
            outcome = await client.do(operation, name, **fields)
            assert ended(outcome) == expected, (operation, fields)
            assert outcome["address"] == 0
        assert len(client.memory.offered) == offered
        assert left == [client.bench.get(f"left.{tier}") for tier in range(3)]
        assert (await client.do(Operation.ACCESS, 5, tier=2))["version"] == 1

    run(fabric_of(), scenario)


def test_what_is_not_published_is_its_owners():
    async def scenario(client, _):
        await client.do(Operation.PLACE, 5, tier=2)
        assert ended(await client.do(Operation.ACCESS, 5, tier=2, tenant=1)) == (
            Outcome.REJECTED,
            Reason.FOREIGN_TENANT,
        )
        assert (await client.do(Operation.ACCESS, 5, tier=2))["outcome"] == Outcome.DONE

    run(fabric_of(), scenario)


def test_pinned_objects_stay():
    async def scenario(client, rng):
        await place(client, 5, rng)
        await client.do(Operation.PIN, 5)
        for operation in (Operation.EVICT, Operation.MOVE, Operation.RELEASE):
            outcome = await client.do(operation, 5, tier=2)
            assert ended(outcome) == (Outcome.REJECTED, Reason.PINNED)
        await client.do(Operation.UNPIN, 5)
        assert (await client.do(Operation.EVICT, 5, tier=2))["outcome"] == Outcome.DONE

    run(fabric_of(), scenario)


def test_a_pinned_object_stays_where_pin_said_when_it_is_wanted_faster():
    async def scenario(client, rng):
        await place(client, 5, rng, tier=2)
        pinned = await client.do(Operation.PIN, 5)
        offered = len(client.memory.offered)
        for operation in (Operation.ACCESS, Operation.PREFETCH):
            outcome = await client.do(operation, 5, tenant=2)
            assert ended(outcome) == (Outcome.CLIPPED, Reason.PINNED)
            assert (outcome["tier"], outcome["address"]) == (2, pinned["address"])
        assert len(client.memory.offered) == offered
        await client.do(Operation.UNPIN, 5)
        assert (await client.do(Operation.ACCESS, 5))["tier"] == 1

    run(fabric_of(), scenario)


def test_nothing_is_told_of_or_left_in_a_tier_that_is_down():
    async def scenario(client, rng):
        no_tier = Outcome.REJECTED, Reason.NO_TIER
        await place(client, 5, rng, tier=2)
        client.bench.set(up=0b011)
        for operation, fields in (
            (Operation.ACCESS, {"tier": 2}),
            (Operation.ACCESS, {"tier": 1}),
            (Operation.MOVE, {"tier": 1}),
        ):
            assert ended(await client.do(operation, 5, **fields)) == no_tier
        client.bench.set(up=0b111)
        fast = await client.do(Operation.ACCESS, 5)
        client.bench.set(up=0b011)
        for operation in (Operation.EVICT, Operation.MOVE):
            assert ended(await client.do(operation, 5, tier=2)) == no_tier
        assert (await client.do(Operation.ACCESS, 5))["address"] == fast["address"]
        # Out of a tier that is down it goes back to its clean copy.
        client.bench.set(up=0b101)
        assert (await client.do(Operation.EVICT, 5))["tier"] == 2

    run(fabric_of(), scenario)


def test_an_expired_lease_is_taken_over_and_fences_the_old_term():
    async def scenario(client, rng):
        await place(client, 5, rng)
        assert ended(await client.do(Operation.RENEW, 5, term=2)) == (
            Outcome.DEFERRED,
            Reason.LEASE_HELD,
        )
        await client.do(Operation.RENEW, 5, term=1)
        for _ in range(LEASE):
            await client.clock()
        # Looking it up renews nothing.
        await client.do(Operation.ACCESS, 5)
        taken = await client.do(Operation.RENEW, 5, term=2)
        assert (taken["outcome"], taken["term"]) == (Outcome.DONE, 2)
        old = await client.do(Operation.PUBLISH, 5, version=2, term=1)
        assert ended(old) == (Outcome.REJECTED, Reason.OLD_TERM)
        new = await client.do(Operation.PUBLISH, 5, version=2, term=2)
        assert new["outcome"] == Outcome.DONE

    run(fabric_of(), scenario)


def test_another_tenant_never_reads_what_is_left_in_a_frame():
    """Each frame that it gets is zero when it learns the address; its own data may stay."""

    async def scenario(client, rng):
        memory = client.memory
        fill(memory, rng, BASES[1], 8 * FRAME)
        for name in range(8):
            placed = await client.do(Operation.PLACE, name)
            assert content(memory, placed["address"], FRAME) == bytes(FRAME)
            fill(memory, rng, placed["address"], FRAME)
        full = await client.do(Operation.PLACE, 8)
        assert ended(full) == (Outcome.DEFERRED, Reason.NO_FRAME)
        for name in range(8):
            await client.do(Operation.RELEASE, name)
        for name in range(8):
            mine = name < 4
            placed = await client.do(Operation.PLACE, name, tenant=0 if mine else 1)
            left = content(memory, placed["address"], FRAME)
            assert (left == bytes(FRAME)) != mine

    run(fabric_of(), scenario)


def test_a_failed_copy_leaves_a_frame_that_must_be_scrubbed():
    async def scenario(client, rng):
        memory = client.memory
        await place(client, 1, rng, tier=2)
        for name in range(2, 10):
            await client.do(Operation.PLACE, name)
        for name in range(2, 10):
            address = (await client.do(Operation.ACCESS, name))["address"]
            fill(memory, rng, address, FRAME)
            await client.do(Operation.RELEASE, name)
        slow = (await client.do(Operation.ACCESS, 1, tier=2))["address"]
        memory.wrong = {slow + FRAME // 2 + 8}
        outcome = await client.do(Operation.ACCESS, 1, tenant=0)
        assert ended(outcome) == (Outcome.REJECTED, Reason.READ_ERROR)
        # Tenant 0 had the frame, tenant 0 filled it in part; still it is not clean to tenant 0.
        for name in range(2, 10):
            placed = await client.do(Operation.PLACE, name)
            if placed["address"] == BASES[1]:
                assert content(memory, placed["address"], FRAME) == bytes(FRAME)
        assert (await client.do(Operation.ACCESS, 1, tier=2))["outcome"] == Outcome.DONE

    run(fabric_of(), scenario)


def test_a_wrong_checksum_is_not_served():
    async def scenario(client, rng):
        slow = await place(client, 1, rng, tier=2)
        client.memory.bytes[slow + FRAME // 4] ^= 1 << 17
        outcome = await client.do(Operation.ACCESS, 1)
        assert ended(outcome) == (Outcome.REJECTED, Reason.CHECKSUM)
        assert client.bench.get("left.1") == 8

    run(fabric_of(), scenario)


def test_accesses_join_the_movement_that_is_under_way():
    async def scenario(client, rng):
        await place(client, 1, rng, tier=2)
        offered = len(client.memory.offered)
        numbers = [
            await client.give(client.command(Operation.ACCESS, 1, tenant=tenant))
            for tenant in (0, 1, 2, 3, 0)
        ]
        outcomes = [await client.outcome(number) for number in numbers]
        assert {each["outcome"] for each in outcomes} == {Outcome.DONE}
        assert len({each["address"] for each in outcomes}) == 1
        moved = client.memory.offered[offered:]
        assert sum(beats for _, side, _, beats, _ in moved if side == "reads") == FRAME // 8
        # Four wait; a fifth has no room.
        await client.do(Operation.EVICT, 1)
        numbers = [await client.give(client.command(Operation.ACCESS, 1)) for _ in range(6)]
        outcomes = [await client.outcome(number) for number in numbers]
        assert [each["reason"] for each in outcomes] == [0, 0, 0, 0, 0, Reason.BUSY]

    run(fabric_of(), scenario, latency=40)


def test_a_speculative_prefetch_is_aborted():
    async def scenario(client, rng):
        await place(client, 1, rng, tier=2)
        await place(client, 2, rng, tier=2)
        offered = len(client.memory.offered)
        wrong = await client.give(
            client.command(Operation.PREFETCH, 1, urgency=Urgency.SPECULATIVE)
        )
        for _ in range(3):
            await client.clock()
        right = await client.give(client.command(Operation.ACCESS, 2))
        assert (await client.do(Operation.ABORT, 1))["outcome"] == Outcome.DONE
        outcome = await client.outcome(wrong)
        assert ended(outcome) == (Outcome.DEFERRED, Reason.ABORTED)
        assert (await client.outcome(right))["outcome"] == Outcome.DONE
        moved = client.memory.offered[offered:]
        assert sum(beats for _, side, _, beats, _ in moved if side == "reads") < 2 * FRAME // 8
        assert (await client.do(Operation.ACCESS, 1))["outcome"] == Outcome.DONE

    run(fabric_of(), scenario, latency=20, takes=0.2)


def test_quotas_and_tiers_that_are_down():
    async def scenario(client, rng):
        await place(client, 1, rng, tier=2)
        quota = [[0] * 4, [2, 8, 8, 8], [32] * 4]
        client.bench.set(quota=quota)
        await place(client, 2, rng)
        await place(client, 3, rng)
        for name, operation in ((1, Operation.ACCESS), (4, Operation.PLACE)):
            outcome = await client.do(operation, name)
            assert ended(outcome) == (Outcome.DEFERRED, Reason.OVER_QUOTA)
        clipped = await client.do(Operation.PLACE, 4, fallback=2)
        assert ended(clipped) == (Outcome.CLIPPED, Reason.FALLBACK_TIER)
        assert clipped["tier"] == 2
        client.bench.set(up=0b101)
        outcome = await client.do(Operation.ACCESS, 1)
        assert ended(outcome) == (Outcome.REJECTED, Reason.NO_TIER)
        client.bench.set(up=0b111)
        await client.do(Operation.RELEASE, 3)
        assert (await client.do(Operation.ACCESS, 1))["outcome"] == Outcome.DONE

    run(fabric_of(), scenario)


def test_more_objects_than_jobs():
    """All are fetched at once: those that find no job free wait for one that ends."""

    async def scenario(client, rng):
        for name in range(6):
            await place(client, name, rng, tier=2)
        numbers = [await client.give(client.command(Operation.ACCESS, name)) for name in range(6)]
        for number in numbers:
            assert (await client.outcome(number))["outcome"] == Outcome.DONE

    run(fabric_of(), scenario, latency=12)


def test_a_name_that_finds_its_rows_full():
    async def scenario(client, _):
        outcomes = [await client.do(Operation.PLACE, name) for name in NAMES_OF_ONE_ROW]
        assert {each["outcome"] for each in outcomes[:8]} == {Outcome.DONE}
        assert ended(outcomes[8]) == (Outcome.DEFERRED, Reason.TABLE_FULL)
        await client.do(Operation.RELEASE, NAMES_OF_ONE_ROW[3])
        again = await client.do(Operation.PLACE, NAMES_OF_ONE_ROW[8])
        assert again["outcome"] == Outcome.DONE

    run(fabric_of(), scenario)
