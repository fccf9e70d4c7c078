"""Claims, releases and takeovers through several address windows of one core."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channels_map
from mcos_hw.registers.guard import GUARD_KEY, GUARD_WINDOWS
from mcos_hw.registers.image import ImageState
from mcos_policy.client import Client, ClientError, MappedFile, Ownership
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from tests.policy.client.bench import core_file

FOUR = ChannelConfig(tenants=4, beat_bytes=64, max_beats=8)
REGISTERS = channels_map(FOUR, 2)


class Core:
    """A core whose registers stand still but for its guard; as :mod:`mcos_hw.control.guard`."""

    def __init__(self, path):
        self.file = MappedFile(path)
        self.owner = None
        self.faults = 0
        self.written = []

    def write(self, window, address, word):
        name = next(each.name for each in REGISTERS.registers if each.offset == address)
        if name == "GUARD_TAKEOVER":
            allowed = window == 0 and word == GUARD_KEY
        else:
            allowed = self.owner in (None, window)
        if not allowed:
            self.faults += 1
        elif name in ("GUARD_CLAIM", "GUARD_TAKEOVER"):
            self.owner = window
        elif name == "GUARD_RELEASE":
            self.owner = None
        else:
            self.written.append((window, name, word))

    def read(self, window, address):
        owned = {} if self.owner is None else {"owned": 1, "owner": self.owner}
        if address == REGISTERS["GUARD"].offset:
            return REGISTERS["GUARD"].pack(window=window, **owned)
        if address == REGISTERS["GUARD_FAULTS"].offset:
            return self.faults
        return self.file.read32(address)


class Through:
    """The transport of one address window."""

    def __init__(self, core, window):
        self.core, self.window = core, window

    def read32(self, address):
        return self.core.read(self.window, address)

    def write32(self, address, word):
        self.core.write(self.window, address, word)


@pytest.fixture
def core(tmp_path):
    return Core(core_file(tmp_path / "core", FOUR, REGISTERS, IMAGE_STATUS=ImageState.REFUSED))


def client_of(core, window):
    return Client(Through(core, window), FOUR)


def test_a_claim_is_for_the_first_and_until_its_release(core):
    clients = [client_of(core, window) for window in range(GUARD_WINDOWS)]
    assert clients[3].guard.ownership() == Ownership(owner=None, window=3, faults=0)
    clients[3].guard.claim()
    clients[3].guard.claim()
    assert clients[5].guard.ownership() == Ownership(owner=3, window=5, faults=0)
    told = (
        "^the registers must be owned by address window 5, our own, or by none, not by window 3; "
        "let its software release them, or take them over through window 0$"
    )
    for act in (clients[5].guard.claim, clients[5].guard.release, clients[5].commit):
        with pytest.raises(ClientError, match=told):
            act()
    # Nothing was written that hardware had to refuse.
    assert core.faults == 0
    assert core.written == []
    clients[3].guard.release()
    clients[5].guard.claim()
    assert core.owner == 5


def test_window_0_takes_over(core):
    other, system = client_of(core, 6), client_of(core, 0)
    other.guard.claim()
    with pytest.raises(ClientError, match="taken over through address window 0, not 6; map window"):
        other.guard.take_over()
    system.guard.take_over()
    assert (core.owner, core.faults) == (0, 0)
    with pytest.raises(ClientError, match="must be owned by address window 6"):
        other.guard.require_mine()


def test_a_claim_that_does_not_arrive_is_told(core):
    client = client_of(core, 2)
    core.write = lambda *_: None
    with pytest.raises(ClientError, match="window 2 after its claim, not by none; try again"):
        client.guard.claim()


def test_an_image_is_written_by_the_owner_or_without_one(core):
    image = compile_contract(SAMPLES["decode-prefill"], ChannelConfig(tenants=4)).image
    client = client_of(core, 1)
    client_of(core, 4).guard.claim()
    with pytest.raises(ClientError, match="not by window 4"):
        client.stage(image)
    assert core.written == []
    client_of(core, 4).guard.release()
    with pytest.raises(ClientError, match="the core must stage the image"):
        client.stage(image)
    assert len(core.written) == 1 + len(image.words)


def test_a_single_channel_has_no_guard(tmp_path):
    assert Client(MappedFile(core_file(tmp_path / "core", FOUR)), FOUR).guard is None
