"""``mcos verilog``: files, what is printed, the same bytes every time, and mistakes."""

import json
import os
import shlex
import struct
import subprocess
import sys

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_hw.registers import fabric_map
from mcos_hw.registers.image import HeaderWord
from mcos_hw.targets import axi
from mcos_hw.targets.generic import NAMES
from mcos_policy.samples import SAMPLES
from mcos_sim.cli import main
from mcos_sim.commands.fabric_options import DataBits, FabricOptions
from mcos_sim.commands.hardware_options import HardwareOptions


def _write(directory, *, seed):
    """Run the command in a process of its own, with its own order of hashes."""
    code = "from mcos_sim.cli import main; main()"
    arguments = ("--tenants", "4", "--arbiter", "round-robin", "--json", f"{directory}.json")
    return subprocess.run(
        [sys.executable, "-c", code, "verilog", "-o", str(directory), *arguments],
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("written") / "deep" / "verilog"
    return directory, _write(directory, seed="1")


def test_files_are_listed_with_their_sizes(written):
    directory, result = written
    assert sorted(path.name for path in directory.iterdir()) == sorted(NAMES)
    # A slow machine is told of progress.
    assert [x for x in result.stderr.splitlines() if not x.startswith("Writing Verilog")] == []
    assert result.stdout.splitlines() == [
        *(f"{directory / name}: {(directory / name).stat().st_size:,} bytes" for name in NAMES),
        "hardware: 4 tags, 800 MHz, 64 B a clock, beats of 32 B, 512 slots",
    ]


def test_arguments_reach_the_core(written):
    directory, _ = written
    record = json.loads((directory / "mcos.json").read_text())
    assert (record["config"]["tenants"], record["arbiter"]) == (4, "round_robin")
    assert record["regenerate"] == (
        "mcos verilog --target generic --arbiter round-robin --tenants 4 -o DIRECTORY"
    )
    assert record["regenerate"] in (directory / "mcos.v").read_text()


def test_json_is_the_record(written):
    directory, _ = written
    assert directory.with_name("verilog.json").read_bytes() == (
        (directory / "mcos.json").read_bytes()
    )


def test_another_run_gives_the_same_bytes(written, tmp_path):
    directory, _ = written
    _write(tmp_path / "again", seed="2")
    for name in NAMES:
        assert (tmp_path / "again" / name).read_bytes() == (directory / name).read_bytes(), name


AXI_MISTAKES = [
    (("--ports", "17"), "--ports must be in 1..16, not 17; give a smaller one"),
    (
        ("--channels", "3"),
        "--channels must be one of 1, 2, 4, 8, 16, 32, not 3; choose another",
    ),
    (("--data-bits", "96"), "--data-bits must be one of 64, 128, 256, 512, not '96'; choose one"),
    (("--outstanding", "5"), "--outstanding must be a power of two, not 5; choose another"),
    (("--table-rows", "64"), "--table-rows must be in 1..32, not 64; choose another"),
    (
        ("--id-width", "3"),
        (
            "--id-width must be left out with --top axi, where --outstanding decides it; "
            "--axi-id-bits gives the IDs of the ports"
        ),
    ),
    (
        ("--bytes-per-clock", "48"),
        (
            "bytes_per_clock must be a power of two in 8..128 with --top axi, a beat of the memory "
            "port, not 48; choose another"
        ),
    ),
    (
        ("--beat-bytes", "32"),
        "beat_bytes must be bytes_per_clock with --top axi, 64, not 32; leave it out",
    ),
    (
        ("--bytes-per-clock", "8", "--max-beats", "2"),
        "--data-bits must be at most 128, the longest request, not 512; choose fewer",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "zcu104"), "target must be one of generic, ulx3s, not 'zcu104'; choose one"),
        (
            ("--arbiter", "wfq"),
            (
                "arbiter must be one of mcos, fcfs, round-robin, fixed-priority, not 'wfq'; "
                "choose one"
            ),
        ),
        (
            ("--tenants", "5"),
            "tenants must be a power of two, not 5; the hardware has 4, 8 or 16 tags",
        ),
        (
            ("--ports", "2"),
            "--ports must be left out without --top axi; add that option",
        ),
        *((("--top", "axi", *given), message) for given, message in AXI_MISTAKES),
        (
            ("-o", "{folder}/file"),
            (
                "{folder}/file must be a folder that can be written, not this (File exists); "
                "choose another"
            ),
        ),
    ],
)
def test_mistakes_are_named(arguments, message, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = [argument.format(folder=tmp_path) for argument in arguments]
    with pytest.raises(SystemExit) as caught:
        main(["verilog", "-o", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"mcos: error: {message.format(folder=tmp_path)}\n"
    assert not list(tmp_path.glob("out/*"))


def test_a_fabric_has_a_clocks_worth_as_its_beat():
    fabric = FabricOptions(ports=2, data_bits=DataBits("64")).config(None, HardwareOptions())
    channel = ChannelConfig(beat_bytes=64, max_beats=8, id_width=7)
    port = PortConfig(data_bytes=8)
    assert fabric == FabricConfig(channel=channel, ports=(port, port))
    many = FabricOptions(channels=8, outstanding=16).config(None, HardwareOptions())
    assert (many.channels, many.ports[0].reads, many.ports[0].read_units) == (8, 16, 64)
    hbm = FabricOptions(memory_protocol=MemoryProtocol.AXI3, outstanding=4).config(
        SAMPLES["fpga"], HardwareOptions(tenants=4)
    )
    assert (hbm.channel.beat_bytes, hbm.channel.max_beats, hbm.channel.slot_width) == (32, 16, 6)
    assert (hbm.ports[0].reads, hbm.ports[0].read_units) == (4, 16)
    assert hbm.memory_protocol is MemoryProtocol.AXI3


def _done(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0


def test_an_image_for_a_fabric_is_compiled_with_the_words_that_it_says(tmp_path, monkeypatch):
    # A core takes seconds to emit; the files have their own tests.
    asked = {}

    def files(fabric, *, compile_command, **_):
        asked.update(fabric=fabric, command=compile_command)
        return dict.fromkeys(axi.NAMES, "{}")

    monkeypatch.setattr(axi, "files", files)
    _done("verilog", "decode-prefill", "--top", "axi", "-o", str(tmp_path))
    image = tmp_path / "image"
    mcos, *words, last = shlex.split(asked["command"])
    assert (mcos, last) == ("mcos", "IMAGE")
    assert words[:2] == ["compile", "decode-prefill"]
    _done(*words, str(image))
    found = struct.unpack("<8I", image.read_bytes()[:32])
    registers = fabric_map(asked["fabric"])
    for name in ("CAPABILITY", "LIMITS", "CLOCK", "MAP_HASH"):
        assert found[HeaderWord[name]] == registers[name].reset
