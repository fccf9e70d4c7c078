"""A client on the verilated hardware, before traffic and beside it."""

import dataclasses

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.image import HeaderWord, ImageCode, ImageState
from mcos_policy.client import Client, ClientError
from mcos_policy.compiler import compile_contract
from mcos_policy.image import Image
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.verilated import channel_library
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import require_sound, tenant_results
from mcos_sim.errors import HardwareError
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.verilated.hardware import Hardware
from mcos_sim.verilated.transport import VerilatedTransport
from tests.sim.verilated.traffic import scenario_of

pytestmark = pytest.mark.cocotb

FOUR = ChannelConfig(tenants=4)

CLOCKS = 30_000


@pytest.fixture(scope="module")
def compiled():
    text = SAMPLES["decode-prefill"].read_text(encoding="utf-8")
    return text, compile_contract(SAMPLES["decode-prefill"], FOUR)


@pytest.fixture
def short(tmp_path, compiled):
    """The contract with an epoch of 10 us, 8,000 clocks, and slots of its own."""
    path = tmp_path / "c.toml"
    path.write_text(compiled[0].replace('epoch = "75 us"', 'epoch = "10 us"'), encoding="utf-8")
    return compile_contract(path, FOUR)


@pytest.fixture
def hardware():
    with Hardware(channel_library(FOUR, ArbiterKind.MCOS), FOUR) as running:
        yield running


def changed(image: Image, word: int) -> Image:
    words = list(image.words)
    words[word] += 1
    return Image(words=tuple(words))


def test_a_core_is_discovered_and_takes_an_image(hardware, compiled):
    image = compiled[1].image
    client = Client(VerilatedTransport(hardware))
    assert (client.core.config, client.core.arbiter) == (FOUR, ArbiterKind.MCOS)
    assert (client.live().generation, client.status().state) == (0, ImageState.EMPTY)
    live = client.load(image)
    assert (live.generation, live.label, live.crc) == (1, image.label, image.crc)
    assert client.last_good is image
    assert client.load(image).generation == 2


def test_a_refused_image_leaves_the_last_good_one_live(hardware, compiled):
    image = compiled[1].image
    client = Client(VerilatedTransport(hardware), FOUR)
    client.load(image)
    before = client.live()
    refused = {
        ImageCode.CLOCK: changed(image, HeaderWord.CLOCK),
        ImageCode.CRC: changed(image, HeaderWord.LABEL),
        ImageCode.TRUNCATED: Image(words=image.words[:-1]),
        ImageCode.OVERLONG: Image(words=(*image.words, 0)),
    }
    for code, bad in refused.items():
        with pytest.raises(ClientError, match=r"; generation 1 stays live$") as caught:
            client.load(bad)
        assert caught.value.code is code
        assert client.live() == before
        assert client.last_good is image
    with pytest.raises(ClientError, match="must take the commit, not refuse it with code 16"):
        client.commit()
    assert client.load(client.last_good).generation == 2


def test_a_commit_without_an_image_is_refused(hardware):
    client = Client(VerilatedTransport(hardware))
    with pytest.raises(ClientError, match="stage a whole image first; no image is live") as caught:
        client.commit()
    assert caught.value.code is ImageCode.NOT_STAGED


def test_software_that_supposes_another_core_is_refused(hardware):
    other = dataclasses.replace(FOUR, slots=64)
    with pytest.raises(ClientError, match="differs, or the slots"):
        Client(VerilatedTransport(hardware), other)


def test_an_access_where_no_register_is_fails(hardware):
    transport = VerilatedTransport(hardware)
    with pytest.raises(HardwareError, match="a read at 0x0f00 must be answered OKAY"):
        transport.read32(0xF00)
    with pytest.raises(HardwareError, match="a write at 0x0000 must be answered OKAY"):
        transport.write32(0, 1)
    assert transport.read32(0) != 0


def test_metrics_beside_traffic_add_up_to_what_the_requesters_saw(hardware, short):
    """Reading takes thousands of clocks, in which requests go on; nothing is lost to it."""
    scenario, e = scenario_of(short, clocks=CLOCKS)
    transport = VerilatedTransport(hardware)
    client = Client(transport, FOUR, names=short.names)
    client.load(short.image)
    hardware.run(FIRST_CLOCK)
    transport.environment = e
    epochs = []
    while hardware.clock < CLOCKS + 16_000:
        until = hardware.clock + 1_000
        hardware.run(until, environment=e)
        require_sound(e)
        hardware.run(until)
        if client.epoch() > len(epochs):
            epochs.append(client.metrics())
    assert [each.epoch for each in epochs] == list(range(1, len(epochs) + 1))
    assert e[env.DONE]
    for tag, result in enumerate(tenant_results(scenario, e)):
        rows = [each.tenants[tag] for each in epochs]
        assert rows[0].name == result.name
        granted = [grant for row in rows for grant in row.granted]
        assert sum(each.bytes.value for each in granted) == result.bytes_granted > 0
        assert sum(each.requests.value for each in granted) == len(result.granted)
        answered = [each.value for row in rows for each in row.latency]
        assert sum(row.responses.value for row in rows) == sum(answered) == len(result.completed)
    assert all(each.busy_clocks.value <= each.epoch_clocks == 8_000 for each in epochs)
