"""The C driver of the movement engines, before engines that are a program."""

import ctypes
import subprocess

import pytest

from mcos_hw.registers.client import c_movement
from mcos_hw.registers.export import c_header
from mcos_hw.registers.movement import MOVEMENT_PAGE_BYTES, client_page, movement_map
from mcos_hw.registers.movement_codes import Operation, Outcome, Reason, Urgency
from mcos_policy.client import object_id
from tests.policy.client.fake_movement import ROOM, FakeMovement

STRICT = ("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fPIC", "-shared")

SOURCE = """
#include "mcos_movement.h"
int found(const mcos_movement_bus *bus) { return mcos_movement_found(bus); }
uint64_t object_id(const char *name) { return mcos_object_id(name); }
const char *reason_text(uint32_t reason) { return mcos_reason_text(reason); }
int give(const mcos_movement_bus *bus, const mcos_command *command)
{
    return mcos_give(bus, command);
}
int take(const mcos_movement_bus *bus, mcos_ended *ended) { return mcos_take(bus, ended); }
int give_place(const mcos_movement_bus *bus, uint16_t number, uint64_t object)
{
    const mcos_command command = mcos_place(number, object, 0, 2);
    return mcos_give(bus, &command);
}
int give_all(const mcos_movement_bus *bus, uint64_t object)
{
    const mcos_command commands[] = {
        mcos_access(1, object, 1, 3),
        mcos_prefetch(2, object, 2, 4, MCOS_SPECULATIVE),
        mcos_change(MCOS_EVICT, 3, object, 1, 2, MCOS_BACKGROUND),
        mcos_publish(4, object, 1, 5, 9),
    };
    int k;
    for (k = 0; k < 4; ++k)
        if (!mcos_give(bus, &commands[k]))
            return 0;
    return 1;
}
"""

Read = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
Write = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)


class Bus(ctypes.Structure):
    _fields_ = (("read32", Read), ("write32", Write), ("context", ctypes.c_void_p))


class Ended(ctypes.Structure):
    _fields_ = (
        ("number", ctypes.c_uint16),
        ("outcome", ctypes.c_int),
        ("reason", ctypes.c_uint32),
        ("tier", ctypes.c_uint8),
        ("address", ctypes.c_uint64),
        ("version", ctypes.c_uint32),
        ("term", ctypes.c_uint16),
    )


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The driver as a library of this process."""
    folder = tmp_path_factory.mktemp("c")
    header = c_header(movement_map(), name="mcos_movement")
    (folder / "mcos_movement_registers.h").write_text(header, encoding="utf-8")
    (folder / "mcos_movement.h").write_text(c_movement(), encoding="utf-8")
    (folder / "driver.c").write_text(SOURCE, encoding="utf-8")
    subprocess.run([*STRICT, "-o", "driver.so", "driver.c"], cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "driver.so"))
    library.object_id.restype = ctypes.c_uint64
    library.reason_text.restype = ctypes.c_char_p
    library.give_place.argtypes = (ctypes.c_void_p, ctypes.c_uint16, ctypes.c_uint64)
    library.give_all.argtypes = (ctypes.c_void_p, ctypes.c_uint64)
    return library


def bus_of(fake, page):
    first = MOVEMENT_PAGE_BYTES * page
    return Bus(
        Read(lambda _, address: fake.read32(first + address)),
        Write(lambda _, address, word: fake.write32(first + address, word)),
    )


def taken(driver, bus):
    """What the next command that ends became of."""
    ended = Ended()
    for _ in range(100):
        if driver.take(ctypes.byref(bus), ctypes.byref(ended)):
            return ended
    raise AssertionError("nothing ended")


def test_it_finds_the_page_of_a_client(driver):
    fake = FakeMovement()
    assert driver.found(ctypes.byref(bus_of(fake, client_page(0))))
    assert not driver.found(ctypes.byref(bus_of(fake, 0)))
    fake.words["MAP_HASH"] ^= 1
    assert not driver.found(ctypes.byref(bus_of(fake, client_page(0))))


def test_names_and_reasons_are_those_of_python(driver):
    for name in ("", "a", "chat/kv_block_731", "\u00fcber"):
        assert driver.object_id(name.encode()) == object_id(name)
    for reason in Reason:
        assert driver.reason_text(reason).decode() == reason.meaning
    assert driver.reason_text(99) == b"no reason of this hardware"


def test_commands_come_back_with_their_numbers(driver):
    fake = FakeMovement()
    bus = bus_of(fake, client_page(2))
    name = object_id("kv")
    assert driver.give_place(ctypes.byref(bus), 77, name)
    ended = taken(driver, bus)
    assert (ended.number, ended.outcome, ended.reason) == (
        77,
        Outcome.CLIPPED,
        Reason.FALLBACK_TIER,
    )
    assert ended.address == 0x1_8000_0000 + name % 8 * 1024
    assert (ended.tier, ended.term, ended.version) == (2, 1, 0)
    assert driver.give_all(ctypes.byref(bus), name)
    numbers = [taken(driver, bus).number for _ in range(4)]
    assert numbers == [1, 2, 3, 4]
    given = [
        {"operation": Operation.ACCESS, "tier": 1, "version": 3, "urgency": Urgency.DEMAND},
        {"operation": Operation.PREFETCH, "tier": 2, "version": 4, "urgency": Urgency.SPECULATIVE},
        {"operation": Operation.EVICT, "tier": 2, "term": 1, "urgency": Urgency.BACKGROUND},
        {"operation": Operation.PUBLISH, "version": 5, "readers": 9, "term": 1},
    ]
    for expected, command in zip(given, fake.commands[1:], strict=True):
        assert command | expected == command
        assert (command["tenant"], command["object"]) == (2, name)


def test_a_command_without_room_is_not_given(driver):
    fake = FakeMovement()
    bus = bus_of(fake, client_page(0))
    for number in range(ROOM):
        assert driver.give_place(ctypes.byref(bus), number, number)
    assert not driver.give_place(ctypes.byref(bus), ROOM, ROOM)
    assert taken(driver, bus).number == 0
    assert driver.give_place(ctypes.byref(bus), ROOM, ROOM)
    assert [taken(driver, bus).number for _ in range(ROOM)] == list(range(1, ROOM + 1))
