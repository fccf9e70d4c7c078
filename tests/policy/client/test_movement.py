"""The client of the movement engines, before engines that are a program."""

import random
import re

import pytest

from mcos_hw.registers.movement import client_page
from mcos_hw.registers.movement_codes import Operation, Outcome, Reason, Urgency
from mcos_policy.client import (
    ClientError,
    MovementClient,
    MovementError,
    MovementPage,
    MovementSettings,
    Tier,
    object_id,
)
from mcos_policy.client.movement import _WAYS_OUT
from tests.policy.client.fake_movement import ROOM, TENANTS, FakeMovement


def client_of(fake, tenant=1, **options):
    return MovementClient(fake, client_page(tenant), **options)


def test_each_call_gives_its_command_and_ends():
    fake = FakeMovement()
    client = client_of(fake)
    calls = [
        (client.place("kv", tier=Tier.HBM, fallback=Tier.HOST), {"tier": 1, "fallback": 2}),
        (client.access("kv", tier=1, version=3), {"version": 3, "urgency": Urgency.DEMAND}),
        (client.prefetch("kv", tier=2), {"tier": 2, "urgency": Urgency.DEADLINE}),
        (client.prefetch("kv", tier=2, speculative=True), {"urgency": Urgency.SPECULATIVE}),
        (client.move("kv", tier=2), {"tier": 2, "urgency": Urgency.DEADLINE, "term": 1}),
        (client.evict("kv", tier=2), {"tier": 2, "urgency": Urgency.BACKGROUND}),
        (client.pin("kv"), {"term": 1}),
        (client.unpin("kv"), {"term": 1}),
        (
            client.publish("kv", version=7, readers=(0, 3), checksum=5),
            {"version": 7, "readers": 0b1001, "checks": 1, "sum": 5},
        ),
        (client.publish("kv", version=8), {"version": 8, "readers": 0, "checks": 0}),
        (client.renew("kv"), {"term": 1}),
        (client.abort("kv"), {"term": 1}),
        (client.release("kv"), {"term": 1}),
    ]
    kinds = [movement.operation for movement, _ in calls]
    assert set(kinds) == set(Operation)
    for (movement, expected), command in zip(calls, fake.commands, strict=True):
        assert movement.result().outcome is Outcome.DONE
        assert command["tenant"] == 1
        assert command["object"] == object_id("kv")
        assert command["operation"] == movement.operation
        assert {name: command[name] for name in expected} == expected


def test_a_result_tells_where_the_object_is():
    client = client_of(FakeMovement())
    placed = client.place("kv", tier=2).result()
    assert (placed.outcome, placed.reason) == (Outcome.DONE, Reason.NONE)
    assert placed.tier == 2
    assert placed.address == 0x1_8000_0000 + object_id("kv") % 8 * 1024
    assert client.publish("kv", version=9).result().version == 9
    assert client.free(2) == 7
    assert client.outcomes() == {each: 2 * (each is Outcome.DONE) for each in Outcome}


def test_a_clipped_command_returns_with_its_reason():
    placed = client_of(FakeMovement()).place("kv", tier=0, fallback=2).result()
    assert (placed.outcome, placed.reason) == (Outcome.CLIPPED, Reason.FALLBACK_TIER)
    assert placed.tier == 2


@pytest.mark.parametrize("last_first", [False, True])
def test_commands_go_on_by_themselves(last_first):
    fake = FakeMovement(reads=40, last_first=last_first)
    client = client_of(fake)
    movements = [client.place(name, tier=1) for name in range(ROOM)]
    assert not any(movement.done() for movement in movements)
    for movement in reversed(movements):
        assert movement.result().address % (8 * 1024) == movement.name * 1024
    assert all(movement.done() for movement in movements)


def test_a_command_without_room_waits_for_it_and_none_is_lost():
    """Clients of several tenants at random, with many times the room that they have."""
    rng = random.Random(2)
    fake = FakeMovement(reads=15)
    clients = [client_of(fake, tenant) for tenant in range(TENANTS)]
    movements = []
    for name in range(20 * ROOM):
        movements.append(rng.choice(clients).place(name, tier=1))
    for movement in rng.sample(movements, len(movements)):
        assert movement.result().outcome is Outcome.DONE
    assert len(fake.commands) == len(movements)
    assert {movement.client.tenant for movement in movements} == set(range(TENANTS))


def test_no_two_commands_under_way_have_one_number(monkeypatch):
    monkeypatch.setattr("mcos_policy.client.movement._NUMBERS", ROOM + 1)
    fake = FakeMovement()
    client = client_of(fake)
    fake.stuck.add(0)
    slow = client.place(0, tier=1)
    for name in range(1, 3 * ROOM):
        assert client.place(name, tier=1).result().address % (8 * 1024) == name % 8 * 1024
        assert not slow.done()
    fake.stuck.clear()
    assert slow.result().outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("act", "outcome", "reason", "text"),
    [
        (
            lambda client: client.move("gone", tier=1),
            Outcome.MISSING,
            Reason.UNKNOWN_OBJECT,
            (
                "move of object 'gone' must succeed, not be missing, because no object of this "
                "name was placed, or it was released; place it first"
            ),
        ),
        (
            lambda client: client.place("kv", tier=1),
            Outcome.REJECTED,
            Reason.EXISTS,
            (
                "place of object 'kv' must succeed, not be rejected, because an object of this "
                "name is there already; release it first, or use what is there"
            ),
        ),
        (
            lambda client: client.prefetch("kv", tier=0),
            Outcome.DEFERRED,
            Reason.NO_FRAME,
            (
                "prefetch of object 'kv' must succeed, not be deferred, because the tier has no "
                "free frame; evict an object from this tier and try again"
            ),
        ),
        (
            lambda client: client.pin("kv", term=9),
            Outcome.REJECTED,
            Reason.OLD_TERM,
            (
                "pin of object 'kv' must succeed, not be rejected, because the lease is not of "
                "this term; take the lease over with its next term, and write again"
            ),
        ),
    ],
)
def test_what_did_not_succeed_says_why(act, outcome, reason, text):
    client = client_of(FakeMovement())
    client.place("kv", tier=1).result()
    movement = act(client)
    for _ in range(2):
        with pytest.raises(MovementError) as caught:
            movement.result()
        assert (caught.value.outcome, caught.value.reason) == (outcome, reason)
        assert str(caught.value) == text


def test_each_reason_of_a_failure_has_a_way_out():
    successes = {Reason.NONE, Reason.FALLBACK_TIER, Reason.MALFORMED}
    assert set(_WAYS_OUT) == set(Reason) - successes


def test_terms_are_remembered():
    fake = FakeMovement()
    client = client_of(fake)
    client.place("kv", tier=1).result()
    assert client.renew("kv", take_over=True).result().term == 2
    client.pin("kv").result()
    assert fake.commands[-1]["term"] == 2
    client.release("kv").result()
    client.place("kv", tier=1).result()
    client.pin("kv").result()
    assert fake.commands[-1]["term"] == 1


def test_what_another_process_left_is_dropped():
    fake = FakeMovement(reads=20)
    before = client_of(fake)
    before.place("old", tier=1)
    client = client_of(fake)
    assert client.place("new", tier=1).result().outcome is Outcome.DONE
    assert not any(fake.under_way.values())
    assert not any(fake.completions.values())


def test_what_does_not_end_is_told():
    fake = FakeMovement(reads=10**6)
    client = client_of(fake, patience=10)
    movement = client.place("kv", tier=1)
    with pytest.raises(ClientError, match="place of object 'kv' must end, not go on for 10"):
        movement.result()
    for name in range(ROOM - 1):
        client.place(name, tier=1)
    with pytest.raises(ClientError, match="there must be room for 1 commands, not none after 10"):
        client.place("more", tier=1)


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda client: client.place("kv", tier=8), "tier must be 0 to 7, not 8; correct it"),
        (
            lambda client: client.publish("kv", version=1 << 32),
            "version must be 0 to 4294967295, not 4294967296; correct it",
        ),
        (
            lambda client: client.publish("kv", version=1, readers=(4,)),
            "readers must be tenants, 0 to 3, not 4; correct it",
        ),
        (
            lambda client: client.place(1 << 64, tier=1),
            (
                "a number that names an object must have 64 bits, not 18446744073709551616; name "
                "it by a text"
            ),
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_given(act, text):
    fake = FakeMovement()
    client = client_of(fake)
    with pytest.raises(ClientError, match=f"^{re.escape(text)}$"):
        act(client)
    assert not fake.commands
    assert client.place("kv", tier=1).result().outcome is Outcome.DONE


def test_names_are_hashed():
    """Values of the public test vectors of FNV-1a, 64 bits."""
    assert object_id("") == 0xCBF29CE484222325
    assert object_id("a") == 0xAF63DC4C8601EC8C
    assert object_id("foobar") == 0x85944171F73967E8
    assert object_id(5) == 5


def test_settings_are_written():
    fake = FakeMovement()
    settings = MovementSettings(fake)
    settings.base(2, 0x12_3456_7800)
    settings.up(1, 2)
    settings.quota(3, 1, 5)
    settings.tag(1, 2)
    settings.lease(100)
    assert fake.settings == [
        ("SET_BASE_HIGH", {"address": 0x12}),
        ("SET_BASE", {"tier": 2, "address": 0x345678}),
        ("SET_UP", {"up": 0b110}),
        ("SET_QUOTA", {"frames": 5, "tier": 1, "tenant": 3}),
        ("SET_TAG", {"tag": 2, "tenant": 1}),
        ("SET_LEASE", {"ticks": 100}),
    ]


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda each: each.base(3, 0), "tier must be 0 to 2, not 3; correct it"),
        (
            lambda each: each.base(1, 256),
            "a base must be a multiple of 1024, the bytes of a frame, not 0x100; correct it",
        ),
        (lambda each: each.quota(0, 1, 9), "frames must be 0 to 8, not 9; correct it"),
        (lambda each: each.tag(4, 0), "tenant must be 0 to 3, not 4; correct it"),
        (lambda each: each.up(5), "tier must be 0 to 2, not 5; correct it"),
    ],
)
def test_settings_that_are_none_are_told(act, text):
    fake = FakeMovement()
    settings = MovementSettings(fake)
    with pytest.raises(ClientError, match=f"^{re.escape(text)}$"):
        act(settings)
    assert not fake.settings


def test_other_hardware_and_other_pages_are_told():
    fake = FakeMovement()
    with pytest.raises(ClientError, match="the page must be one of 1 to 4, a client's, not 0; map"):
        MovementClient(fake, 0)
    with pytest.raises(ClientError, match="the page must be 0, that of the settings, not 2; map"):
        MovementSettings(fake, 2)
    fake.words["MAP_HASH"] = 1
    with pytest.raises(ClientError, match=r"register MAP_HASH must read 0x.*, not 0x00000001; use"):
        MovementPage(fake, 1)
    fake.words["MOVEMENT"] = 0
    with pytest.raises(ClientError, match="register MOVEMENT must read 0x564f4d4d, not 0x00000000"):
        MovementPage(fake, 1)
