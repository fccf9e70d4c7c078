"""A client on registers that stand still, and on some that do not."""

import dataclasses

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, GrantClass, channel_map
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_policy.client import Client, ClientError, Count, Live, MappedFile, latency_limits
from mcos_policy.client.metrics import DIRECTIONS
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from tests.policy.client.bench import core_file

FOUR = ChannelConfig(tenants=4)

SATURATED = (1 << 32) - 1


@pytest.fixture(scope="module")
def compiled():
    return compile_contract(SAMPLES["decode-prefill"], FOUR)


def client_of(path, config=FOUR, **options):
    return Client(MappedFile(path), config, **options)


class Counting:
    """A transport of a file that counts reads and lets an epoch end at some of them."""

    def __init__(self, path, ends) -> None:
        self.file = MappedFile(path)
        self.ends = ends
        self.reads = 0
        self.epoch = channel_map(FOUR)["EPOCH"].offset

    def read32(self, address):
        self.reads += 1
        if self.reads in self.ends:
            self.file.write32(self.epoch, self.file.read32(self.epoch) + 1)
        return self.file.read32(address)

    def write32(self, address, word):
        self.file.write32(address, word)


def test_registers_by_name(tmp_path):
    client = client_of(core_file(tmp_path / "core", FOUR, QUEUE=[0, 0x0301]))
    assert client.read("QUEUE", 1) == {"now": 1, "peak": 3}
    client.write("IMAGE_CONTROL", commit=1)
    assert client.transport.read32(client.registers["IMAGE_CONTROL"].offset) == 2


def test_status_and_what_is_live(tmp_path):
    path = core_file(
        tmp_path / "core",
        FOUR,
        IMAGE_STATUS=0x00120000 | ImageCode.CRC << 8 | ImageState.REFUSED,
        GENERATION=3,
        LIVE_LABEL=4,
        LIVE_CRC=5,
    )
    client = client_of(path)
    status = client.status()
    assert (status.state, status.code, status.received) == (
        ImageState.REFUSED,
        ImageCode.CRC,
        18,
    )
    assert client.live() == Live(generation=3, label=4, crc=5)


def test_a_loader_that_checks_for_ever_and_one_that_takes_nothing(tmp_path, compiled):
    for state, told in (
        (ImageState.CHECKING, "not stop in state CHECKING with 7 words of the 58 that its header"),
        (ImageState.EMPTY, "not stop in state EMPTY with 7 words of the 58 that its header tells"),
    ):
        client = client_of(core_file(tmp_path / "core", FOUR, IMAGE_STATUS=7 << 16 | state))
        with pytest.raises(ClientError, match=told):
            client.load(compiled.image)
        assert client.last_good is None


def test_an_image_that_is_live_must_be_the_one_that_was_loaded(tmp_path, compiled):
    path = core_file(tmp_path / "core", FOUR, IMAGE_STATUS=ImageState.STAGED, LIVE_CRC=9)

    class Committing(MappedFile):
        def write32(self, address, word):
            super().write32(address, word)
            if address == channel_map(FOUR)["IMAGE_CONTROL"].offset and word == 2:
                super().write32(channel_map(FOUR)["GENERATION"].offset, 1)

    client = Client(Committing(path), FOUR)
    told = f"LIVE_CRC must read {compiled.image.crc:#010x}, that of the image, not 0x00000009; let"
    with pytest.raises(ClientError, match=told):
        client.load(compiled.image)
    assert client.last_good is None


def test_a_refusal_that_software_does_not_foresee_is_told_by_its_code(tmp_path, compiled):
    status = ImageCode.OVERSUBSCRIBED << 8 | ImageState.REFUSED
    client = client_of(core_file(tmp_path / "core", FOUR, IMAGE_STATUS=status, GENERATION=2))
    told = (
        "the core must stage the image, not refuse it with code 14, OVERSUBSCRIBED; the sum of "
        "committed rates is over 0.85 of a channel's capacity; compile the contract for this "
        "core and load it again; generation 2 stays live"
    )
    with pytest.raises(ClientError) as caught:
        client.load(compiled.image)
    assert str(caught.value) == told
    assert caught.value.code is ImageCode.OVERSUBSCRIBED


def test_every_code_has_a_meaning():
    assert len({code.meaning for code in ImageCode}) == len(ImageCode)
    assert all(code.meaning.endswith(".") for code in ImageCode)
    assert [ImageCode(code.value) for code in ImageCode] == list(ImageCode)


def test_metrics_are_the_registers_in_their_places(tmp_path):
    """Every element of every array has a number of its own."""
    registers = channel_map(FOUR)
    arrays = ("HELD", "PROMOTIONS", "RESPONSES", "SLO_VIOLATIONS", "COLOUR_FAULTS")
    arrays += ("GRANT_REQUESTS", "GRANT_BYTES", "LATENCY")
    words = {
        name: [1000 * (k + 1) + i for i in range(registers[name].count)]
        for k, name in enumerate(arrays)
    }
    words["HELD"][3] = SATURATED
    path = core_file(
        tmp_path / "core",
        FOUR,
        **words,
        QUEUE=[0x0201, 0x0403, 0x0605, 0x0807],
        EPOCH=5,
        EPOCH_LENGTH=60_000,
        GENERATION=2,
        LOAD=3,
        BUSY=11,
        STALLED=12,
    )
    metrics = client_of(path, names={1: "decode"}).metrics()
    assert (metrics.epoch, metrics.generation, metrics.epoch_clocks) == (5, 2, 60_000)
    assert (metrics.busy_clocks, metrics.stalled_clocks) == (Count(value=11), Count(value=12))
    assert metrics.load_quarters == 3
    assert metrics.seconds(metrics.epoch_clocks) == pytest.approx(75e-6)
    assert [tenant.name for tenant in metrics.tenants] == ["", "decode", "", ""]
    for tag, tenant in enumerate(metrics.tenants):
        assert (tenant.tag, tenant.queued_requests, tenant.peak_requests) == (
            tag,
            2 * tag + 1,
            2 * tag + 2,
        )
        singles = [tenant.promotions, tenant.responses, tenant.slo_violations, tenant.colour_faults]
        assert [each.value for each in singles] == [1000 * k + tag for k in (2, 3, 4, 5)]
        assert [each.value for each in tenant.latency] == [
            8000 + LATENCY_BINS * tag + k for k in range(LATENCY_BINS)
        ]
        seen = [
            (each.direction, each.grant_class, each.requests.value, each.bytes.value)
            for each in tenant.granted
        ]
        assert seen == [
            (way, kind, 6000 + GRANT_KINDS * tag + at, 7000 + GRANT_KINDS * tag + at)
            for op, way in enumerate(DIRECTIONS)
            for kind in GrantClass
            for at in [4 * op + kind]
        ]
    held = [tenant.held_clocks for tenant in metrics.tenants]
    assert [each.saturated for each in held] == [False, False, False, True]
    assert held[3].value == (1 << 31) - 1
    assert sum(each.saturated for each in metrics.counts()) == 1
    read = 2 + 4 * (5 + 2 * 6 + LATENCY_BINS)
    assert len(list(metrics.counts())) == read


def test_limits_of_a_histogram_are_what_its_bins_count():
    assert latency_limits()[:4] == (1, 3, 7, 15)
    assert len(latency_limits()) == LATENCY_BINS - 1


def test_metrics_are_of_one_epoch(tmp_path):
    path = core_file(tmp_path / "core", FOUR, EPOCH=1)
    quiet = Counting(path, ends=())
    Client(quiet, FOUR).metrics()
    once = quiet.reads
    found = Counting(path, ends={once // 2})
    assert Client(found, FOUR).metrics().epoch == 2
    assert once < found.reads < 2 * once


def test_an_epoch_that_is_too_short_is_told(tmp_path):
    path = core_file(tmp_path / "core", FOUR, EPOCH_LENGTH=100)
    busy = Counting(path, ends=range(50, 5_000, 50))
    with pytest.raises(
        ClientError, match=r"last while its counters are read, not end in each of 8"
    ):
        Client(busy, FOUR).metrics()
    assert busy.reads < 8 * 200


def test_a_core_without_counters_has_no_metrics(tmp_path):
    config = dataclasses.replace(FOUR, monitors=False)
    client = client_of(core_file(tmp_path / "core", config), None)
    with pytest.raises(ClientError, match="must have counters, not be built without; build it"):
        client.metrics()
