"""A scenario with an HBM behind its port: what is checked, and what moves."""

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.errors import UserError
from mcos_sim.experiments.behind import behind, capacity, colours_of, hbm
from mcos_sim.experiments.contention import Setting, contention_scenario, workloads
from mcos_sim.memory.hbm import coloured_mapping, default_mapping, find_preset
from mcos_sim.memory.name import MemoryName
from mcos_sim.memory.simple import SIMPLE

CONTRACT = SAMPLES["decode-prefill-hbm3"]
CONFIG = ChannelConfig()


def compiled(tmp_path, *changes):
    text = CONTRACT.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "c.toml"
    path.write_text(text)
    return compile_contract(path, CONFIG)


def scenario(of, memory=MemoryName.HBM3, run="mcos"):
    setting = Setting(clocks=20_000, memory=memory)
    return contention_scenario(
        of, workloads(memory, of.config)["saturated"], run, setting, name="x"
    )


@pytest.mark.parametrize("name", ["hbm2", "hbm3", "hbm3e"])
def test_bank_bits_select_banks(name):
    preset = find_preset(name)
    for make, low in ((coloured_mapping, 6), (default_mapping, 6)):
        bits = make(preset).bank_bits(preset.burst_bytes)
        assert bits[0] == low
        assert 1 << len(bits) == preset.all_banks
        fields = make(preset).place(np.array([0, *(1 << bit for bit in bits)]), 32)
        assert not fields["row"].any()
        assert not fields["column"].any()
    assert preset.bytes == (2 << 30 if name == "hbm2" else 1 << 30)


@pytest.mark.parametrize("memory", [MemoryName.HBM3, MemoryName.SIMPLE])
def test_every_stream_is_in_the_colours_of_its_contract(tmp_path, memory):
    of = compiled(tmp_path)
    colours = colours_of(of, hbm(MemoryName.HBM3))
    assert colours.count == 16
    found = scenario(of, memory)
    assert found.channel.memory == (hbm(memory) or SIMPLE)
    for stream in found.streams:
        mask = of.colours[stream.tag]
        assert mask.bit_count() == 4
        present = set(colours.of(stream.requests["address"]).tolist())
        assert present <= {k for k in range(16) if mask >> k & 1}


def test_what_the_device_takes_leaves_the_latency(tmp_path):
    """48 ns of a row conflict are 38 clocks of the 116."""
    of = compiled(tmp_path)
    assert scenario(of).channel.latency == 116 - 38
    assert scenario(of, MemoryName.SIMPLE).channel.latency == 116
    assert scenario(of, MemoryName.SIMPLE).channel.memory is SIMPLE


def test_alone_the_decoders_lie_where_they_lie_beside_the_prefill(tmp_path):
    of = compiled(tmp_path)
    beside = {stream.tag: stream.requests for stream in scenario(of).streams}
    alone = scenario(of, run="alone").streams
    assert [stream.tag for stream in alone] == [1, 2, 3]
    for stream in alone:
        assert (stream.requests == beside[stream.tag]).all()


def test_what_a_channel_can_pass(tmp_path):
    of = compiled(tmp_path)
    assert capacity(of, MemoryName.SIMPLE) == 48
    assert capacity(of, MemoryName.HBM3) == pytest.approx(48 * (1 - 560 / 6240))
    # HBM2 at 2 Gb/s has 32 GB/s, 40 bytes a clock.
    assert capacity(of, MemoryName.HBM2) == pytest.approx(40 * (1 - 350 / 3900))


NO_COLOURS = (
    ("colour_bits = [12, 13, 14, 15]", ""),
    *((f"[tenant.placement]\npage_color = {0xF << 4 * k:#06x}", "") for k in range(4)),
)


def test_without_colours_the_simple_memory_moves_no_page(tmp_path):
    of = compiled(tmp_path, *NO_COLOURS)
    found = scenario(of, MemoryName.SIMPLE)
    for stream in found.streams:
        steps = np.unique(np.diff(np.unique(stream.requests["address"] // CONFIG.l_max)))
        assert steps.tolist() == [1]


def test_a_contract_without_colours_puts_pages_anywhere(tmp_path):
    found = scenario(compiled(tmp_path, *NO_COLOURS))
    for stream in found.streams:
        banks = stream.requests["address"] >> np.uint64(12) & np.uint64(15)
        assert len(np.unique(banks)) == 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('size = "1 GiB"', 'size = "2 GiB"'), "size in .* must be the 1073741824 bytes behind"),
        (
            ("[12, 13, 14, 15]", "[12, 13, 14, 16]"),
            "as address bits 6, 7, 12, 13, 14, 15 do, not 16",
        ),
    ],
)
def test_colours_of_another_memory_are_refused(tmp_path, change, message):
    of = compiled(tmp_path, change)
    with pytest.raises(UserError, match=message):
        scenario(of)


def test_a_memory_with_fewer_banks_is_refused_too(tmp_path):
    of = compiled(tmp_path, ('size = "1 GiB"\n', ""))
    plain = scenario(of, MemoryName.SIMPLE)
    with pytest.raises(UserError, match=r"must select banks of hbm2, as .* do, not 15"):
        behind(plain, MemoryName.HBM2, of)
