"""``mcos metrics``: Prometheus text that says what the registers say."""

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, GrantClass, channel_map, channels_map
from mcos_policy.client.metrics import DIRECTIONS, latency_limits
from mcos_policy.client.prometheus import MetricsCollector
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.verilated import channel_library
from mcos_sim.environment.environment import environment
from mcos_sim.experiments.prepare import Common, prepare_plan
from mcos_sim.memory.name import MemoryName
from mcos_sim.scenario import FIRST_CLOCK, LIVE_CLOCK
from mcos_sim.verilated.hardware import Hardware, image_writes
from tests.policy.client.bench import core_file
from tests.sim.commands.command_line import run_command

FOUR = ChannelConfig(tenants=4)

EPOCH = 16_000
"""Clocks of an epoch of 20 us."""

CLOCKS = 12_000

REGISTERS = ("RESPONSES", "HELD", "SLO_VIOLATIONS", "GRANT_REQUESTS", "GRANT_BYTES", "LATENCY")


@pytest.fixture(scope="module")
def contract(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("contract") / "c.toml"
    text = SAMPLES["decode-prefill"].read_text(encoding="utf-8")
    text = text.replace('epoch = "75 us"', 'epoch = "20 us"').replace('"25 us"', '"150 ns"')
    path.write_text(text, encoding="utf-8")
    return path


def samples(text: str) -> dict[tuple, float]:
    """Every sample of a text by its name and its labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def expected(compiled: Compiled, words: dict[str, list[int]]) -> dict[tuple, float]:
    """What a text has to say of tenants whose registers have these words."""
    found = {}
    seconds = 1 / (1000 * compiled.config.clock_khz)
    for tag, name in compiled.names.items():
        tenant = ("tenant", name)
        found["mcos_tenant_responses_total", tenant] = words["RESPONSES"][tag]
        found["mcos_tenant_slo_violations_total", tenant] = words["SLO_VIOLATIONS"][tag]
        found["mcos_tenant_held_seconds_total", tenant] = words["HELD"][tag] * seconds
        for op, direction in enumerate(DIRECTIONS):
            for kind in GrantClass:
                place = 8 * tag + 4 * op + kind
                labels = ("class", kind.name.lower()), ("direction", direction), tenant
                found["mcos_tenant_granted_bytes_total", *labels] = words["GRANT_BYTES"][place]
                requests = words["GRANT_REQUESTS"][place]
                found["mcos_tenant_granted_requests_total", *labels] = requests
        below = 0
        limits = [str(limit * seconds) for limit in latency_limits()] + ["+Inf"]
        for k, limit in enumerate(limits):
            below += words["LATENCY"][16 * tag + k]
            key = round(float(limit) / seconds) if limit != "+Inf" else limit
            found["bucket", key, tenant] = below
    return found


def require_equal(found: dict[tuple, float], wanted: dict[tuple, float]) -> None:
    """Every wanted sample is found; buckets are told by their clocks."""
    clocks = {}
    for (name, *labels), value in found.items():
        if name.endswith("_bucket"):
            (_, edge), tenant = labels
            key = edge if edge == "+Inf" else round(float(edge) * 1000 * FOUR.clock_khz)
            clocks["bucket", key, tenant] = value
    told = {key: (found | clocks)[key] for key in wanted}
    assert told == pytest.approx(wanted)


def registers_of(compiled: Compiled) -> dict[str, list[int]]:
    """What the registers have of the first epoch, read without a client."""
    common = Common(
        name="mcos", arbiter=ArbiterKind.MCOS, seed=1, memory=MemoryName.SIMPLE, window=None
    )
    prepared = prepare_plan(compiled, file=None, options=(), clocks=CLOCKS, common=common)
    e = environment(prepared.scenario)
    with Hardware(channel_library(FOUR, ArbiterKind.MCOS), FOUR) as hardware:
        hardware.run(FIRST_CLOCK, writes=image_writes(compiled.image.words, FOUR, live=LIVE_CLOCK))
        hardware.run(EPOCH + 16, environment=e)
        hardware.run(EPOCH + 16)
        return {name: hardware.read_array(name) for name in REGISTERS}


def test_a_number_of_ports_needs_axi(capsys):
    assert run_command("metrics", "--ports", 2) == 2
    assert "--ports must go with --port axi, not channel; add --port axi" in capsys.readouterr().err


@pytest.mark.cocotb
@pytest.mark.soak
def test_a_run_behind_axi_ports_is_metered(contract, capsys):
    options = ("--tenants", 4, "--clocks", CLOCKS, "--port", "axi", "--ports", 2)
    assert run_command("metrics", contract, *options) == 0
    found = samples(capsys.readouterr().out)
    granted = [value for (name, *_), value in found.items() if "granted_bytes_total" in name]
    assert sum(granted) > 0.8 * CLOCKS * FOUR.bytes_per_clock


@pytest.mark.cocotb
def test_a_run_says_what_the_registers_say(contract, tmp_path, capsys):
    path = tmp_path / "m.json"
    options = ("--tenants", 4, "--clocks", CLOCKS, "--once", "--json", path)
    assert run_command("metrics", contract, *options) == 0
    shown = capsys.readouterr()
    compiled = compile_contract(contract, FOUR)
    words = registers_of(compiled)
    found = samples(shown.out)
    assert sum(words["RESPONSES"]) > 1_000
    assert sum(words["SLO_VIOLATIONS"]) > 0
    require_equal(found, expected(compiled, words))
    assert found["mcos_epochs_read_total",] == 1
    assert "default traffic" in shown.err
    record = json.loads(path.read_text())
    assert (record["epochs_read"], record["epochs_missed"], record["clocks"]) == (1, 0, CLOCKS)
    assert record["config_hash"] == FOUR.hash
    told = {
        (each["name"], *sorted(each["labels"].items())): each["value"] for each in record["samples"]
    }
    assert told == found


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return answer.read().decode()


def heard(monkeypatch, on_url: Callable[[str], None]) -> None:
    """Calls with the address that the command serves at."""

    def say(text: object) -> None:
        if str(text).startswith("serving "):
            on_url(str(text).removeprefix("serving "))

    monkeypatch.setattr("mcos_sim.commands.metrics.say", say)


@pytest.mark.cocotb
def test_a_run_is_served_while_it_goes_on(contract, monkeypatch, capsys):
    texts, urls = [], []
    take = MetricsCollector.take

    def taken(self, metrics) -> None:
        take(self, metrics)
        texts.append(fetch(urls[0]))

    heard(monkeypatch, urls.append)
    monkeypatch.setattr(MetricsCollector, "take", taken)
    options = ("--tenants", 4, "--clocks", 40_000, "--listen", "127.0.0.1:0")
    assert run_command("metrics", contract, *options) == 0
    assert capsys.readouterr().out == ""
    key = ("mcos_tenant_responses_total", ("tenant", "prefill"))
    counts = [samples(text)[key] for text in texts]
    assert len(counts) == 3
    assert 0 < counts[0] < counts[1] <= counts[2]
    with pytest.raises(OSError, match="refused"):
        fetch(urls[0])


def test_hardware_is_read_from_a_mapped_file(contract, tmp_path, capsys):
    words = {
        name: [len(name) * 100 + k for k in range(channel_map(FOUR)[name].count)]
        for name in REGISTERS
    }
    path = core_file(tmp_path / "core", FOUR, before=0x1000, EPOCH=3, EPOCH_LENGTH=EPOCH, **words)
    before = path.read_bytes()
    compiled = compile_contract(contract, FOUR)
    options = ("--mmap", path, "--offset", "0x1000")
    assert run_command("metrics", contract, "--tenants", 4, *options) == 0
    require_equal(samples(capsys.readouterr().out), expected(compiled, words))
    record = tmp_path / "m.json"
    assert run_command("metrics", *options, "--once", "--json", record) == 0
    found = samples(capsys.readouterr().out)
    assert found["mcos_tenant_responses_total", ("tenant", "tag 3")] == words["RESPONSES"][3]
    assert json.loads(record.read_text())["config_hash"] == FOUR.hash
    assert path.read_bytes() == before


def test_hardware_of_several_channels_is_read_from_a_mapped_file(tmp_path, capsys):
    channel = ChannelConfig(tenants=4, beat_bytes=64, max_beats=8)
    parts = {("RESPONSES", k): [0, 5 + k] for k in range(2)} | {("BUSY", 1): 800}
    path = core_file(
        tmp_path / "core", channel, channels_map(channel, 2), parts=parts, EPOCH=3, EPOCH_LENGTH=80
    )
    assert run_command("metrics", "--mmap", path) == 0
    found = samples(capsys.readouterr().out)
    assert found["mcos_tenant_responses_total", ("tenant", "tag 1")] == 11
    assert found["mcos_channel_busy_seconds_total", ("channel", "1")] == pytest.approx(1e-6)


def test_hardware_is_served_until_ctrl_c(tmp_path, monkeypatch, capsys):
    path = core_file(tmp_path / "core", FOUR, EPOCH=3, EPOCH_LENGTH=EPOCH, RESPONSES=[5])
    urls, texts, slept = [], [], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        texts.append(fetch(urls[0]))
        if len(texts) == 2:
            raise KeyboardInterrupt

    heard(monkeypatch, urls.append)
    monkeypatch.setattr(time, "sleep", sleep)
    assert run_command("metrics", "--mmap", path, "--listen", "127.0.0.1:0") == 130
    assert slept == [0.001, 0.001]
    # The epoch is the same one: it counts once.
    for text in texts:
        assert samples(text)["mcos_tenant_responses_total", ("tenant", "tag 0")] == 5


@pytest.mark.parametrize(
    ("words", "options", "told"),
    [
        ({"CORE": 0}, (), "register CORE must read 0x534f434d, which spells MCOS, not 0x00000000"),
        ({}, ("--clock", "100 MHz"), "tenants 16, khz 100000, not tenants 4, khz 800000; give"),
        ({"MAP_HASH": 1}, (), "the register map must follow from the sizes that registers tell"),
        ({"OPTIONS": 1}, (), "the register map must follow from the sizes that registers tell"),
        ({}, ("--offset", "4"), "core must have at least 8196 bytes, not 8192; give the file"),
        ({}, ("--offset", "2"), "the offset must be a multiple of 4 from 0 on, not 2; correct it"),
    ],
)
def test_hardware_that_cannot_be_read(words, options, told, tmp_path, capsys):
    path = core_file(tmp_path / "core", FOUR, **words)
    assert run_command("metrics", "--mmap", path, *options) == 2
    shown = capsys.readouterr()
    assert (shown.out, told in shown.err) == ("", True), shown.err
    assert len(shown.err.splitlines()) == 1


def test_an_address_that_is_taken_is_refused(tmp_path, capsys):
    path = core_file(tmp_path / "core", FOUR)
    assert run_command("metrics", "--mmap", path, "--listen", "no.such.host.invalid:1") == 2
    shown = capsys.readouterr().err
    assert "--listen must be an address of this machine that is free, not no.such" in shown


def test_a_contract_without_epochs_cannot_be_metered(contract, tmp_path, capsys):
    path = tmp_path / "none.toml"
    text = contract.read_text(encoding="utf-8").replace('epoch = "20 us"', "epoch = 0")
    path.write_text(text, encoding="utf-8")
    assert run_command("metrics", path) == 2
    assert "epoch of the contract must be over 0, not 0" in capsys.readouterr().err
