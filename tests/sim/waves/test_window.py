"""Waveform windows, read back by a reader that is not ours."""

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest
from vcdvcd import VCDVCD

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.link.request import (
    Op,
    command_layout,
    completion_layout,
    request_layout,
    response_layout,
)
from mcos_sim.errors import UserError
from mcos_sim.waves import PortEvents, WindowWriter

CONFIG = ChannelConfig(tenants=4)
NAMES = {0: "prefill", 1: "decode-a", 3: "decode_c"}
CLOCK_NS = Fraction(5, 4)
FIRST = 1_000
CLOCK_PS = 1_250


def pack(layout, values) -> int:
    return layout.const(values).as_value().value


def probes(count: int) -> list[dict]:
    """Probe values with everything random, for as many clocks."""
    rng = random.Random(20)
    layout = probe_layout(CONFIG)

    def members(struct):
        return {name: rng.getrandbits(field.width) for name, field in struct}

    return [
        {
            "channel": members(layout["channel"].shape),
            "tenants": [members(layout["tenants"].shape.elem_shape) for _ in range(CONFIG.tenants)],
        }
        for _ in range(count)
    ]


def write(path: Path, clocks: list[dict], events: dict[int, PortEvents] | None = None, **settings):
    settings = {"names": NAMES, "clock_ns": CLOCK_NS, "first_clock": FIRST} | settings
    writer = WindowWriter(path, config=CONFIG, **settings)
    first = writer.first_clock
    for clock, values in enumerate(clocks, first):
        word = pack(probe_layout(CONFIG), values)
        writer.sample(clock, word, (events or {}).get(clock, PortEvents()))
    writer.close()
    return writer


def number(text: str, width: int = 0) -> int | None:
    """Value of a vector; two's complement if a width is given; None for no value."""
    if set(text) == {"z"}:
        return None
    value = int(text, 2)
    return value - (1 << width) if width and value >> width - 1 else value


def texts(vcd: Path, path: str) -> dict[int, str]:
    """Changes of a text signal by time; vcdvcd leaves text out."""
    scope, changes, time, code = [], {}, 0, None
    for line in vcd.read_text().splitlines():
        words = line.split()
        if words[0] == "$scope":
            scope.append(words[2])
        elif words[0] == "$upscope":
            scope.pop()
        elif words[:2] == ["$var", "string"] and ".".join([*scope, words[4]]) == path:
            code = words[3]
        elif line.startswith("#"):
            time = int(line[1:])
        elif line.startswith("s") and words[-1] == code:
            changes[time] = line[1:].removesuffix(f" {code}").replace("\\x20", " ")
    return changes


def test_every_member_of_every_clock_reads_back(tmp_path: Path):
    clocks = probes(40)
    write(tmp_path / "w.vcd", clocks)
    vcd = VCDVCD(str(tmp_path / "w.vcd"))
    level_width = CONFIG.depth_width + CONFIG.rate_fraction
    scale = 1 << CONFIG.rate_fraction

    for index, values in enumerate(clocks):
        time = (FIRST + index) * CLOCK_PS
        assert number(vcd["mcos.clock"][time]) == FIRST + index
        for tag, scope in {0: "prefill", 1: "decode_a", 3: "decode_c"}.items():
            tenant = values["tenants"][tag]
            for name, value in tenant.items():
                assert number(vcd[f"mcos.tenants.{scope}.{name}"][time]) == value, name
            peak = tenant["peak"] - (tenant["peak"] >> level_width << level_width + 1)
            levels = {"committed": tenant["committed"], "peak": peak}
            for name, level in levels.items():
                signal = vcd[f"mcos.tenants.{scope}.{name}_bytes"]
                width = int(signal.size) if name == "peak" else 0
                assert number(signal[time], width) == level // scale
        channel = values["channel"]
        for name in ("virtual_time", "open", "granted"):
            assert number(vcd[f"mcos.arbiter.{name}"][time]) == channel[name]
        for name in ("in_flight", "debt"):
            assert number(vcd[f"mcos.port.{name}"][time]) == channel[name]
        assert number(vcd["mcos.port.debt_bytes"][time]) == channel["debt"] // scale
        granted = channel["granted"]
        for name in ("promoted", "tenant", "beats"):
            seen = number(vcd[f"mcos.arbiter.{name}"][time])
            assert seen == (channel[name] if granted else None)
        head = values["tenants"][channel["tenant"]]
        seen = number(vcd["mcos.arbiter.class_code"][time])
        assert seen == (head["class_code"] if granted else None)


def test_negative_peak_is_signed_whole_bytes(tmp_path: Path):
    (values,) = probes(1)
    width = CONFIG.depth_width + CONFIG.rate_fraction + 1
    values["tenants"][0]["peak"] = (1 << width) - (3 << CONFIG.rate_fraction - 1)
    write(tmp_path / "w.vcd", [values])

    signal = VCDVCD(str(tmp_path / "w.vcd"))["mcos.tenants.prefill.peak_bytes"]
    assert number(signal[FIRST * CLOCK_PS], int(signal.size)) == -2
    state = json.loads((tmp_path / "w.json").read_text())["tenants"]["prefill"]
    assert (state["peak"], state["peak_bytes"]) == (-(3 << CONFIG.rate_fraction - 1), -2)


def test_names_stand_beside_numbers(tmp_path: Path):
    clocks = probes(5)
    for values, code in zip(clocks, (0, 1, 2, NO_CLASS, 0), strict=True):
        values["tenants"][0]["class_code"] = code
        values["channel"] |= {"granted": 1, "tenant": 0}
    clocks[4]["channel"]["granted"] = 0
    write(tmp_path / "w.vcd", clocks)

    def by_clock(path: str) -> dict[int, str]:
        changes = texts(tmp_path / "w.vcd", path)
        return {time // CLOCK_PS - FIRST: text for time, text in changes.items()}

    classes = {0: "conforming", 1: "burst", 2: "scavenged", 3: "none"}
    assert by_clock("mcos.tenants.prefill.class") == classes | {4: "conforming"}
    assert by_clock("mcos.arbiter.class") == classes | {4: ""}
    assert by_clock("mcos.arbiter.tenant_name") == {0: "prefill", 4: ""}


def test_tags_without_a_name_have_no_scope_and_are_told_by_number(tmp_path: Path):
    (values,) = probes(1)
    values["channel"] |= {"granted": 1, "tenant": 2}
    write(tmp_path / "w.vcd", [values])

    assert texts(tmp_path / "w.vcd", "mcos.arbiter.tenant_name") == {FIRST * CLOCK_PS: "tag 2"}
    scopes = {
        path.split(".")[2]
        for path in VCDVCD(str(tmp_path / "w.vcd")).signals
        if path.startswith("mcos.tenants.")
    }
    assert scopes == {"prefill", "decode_a", "decode_c"}


def test_events_show_in_their_clock_only(tmp_path: Path):
    request = {"tenant": 1, "id": 77, "op": Op.WRITE, "address": 0xABC0, "beats": 5, "offered": 9}
    command = {"slot": 300, "tenant": 3, "op": Op.READ, "address": 0x40, "beats": 16}
    events = {
        FIRST + 1: PortEvents(request=pack(request_layout(CONFIG), request)),
        FIRST + 2: PortEvents(
            command=pack(command_layout(CONFIG), command),
            completion=pack(completion_layout(CONFIG), {"slot": 12}),
            response=pack(response_layout(CONFIG), {"tenant": 0, "id": 5}),
        ),
    }
    write(tmp_path / "w.vcd", probes(4), events)
    vcd = VCDVCD(str(tmp_path / "w.vcd"))

    expected = {
        "request": (1, request),
        "command": (2, command),
        "completion": (2, {"slot": 12}),
        "response": (2, {"tenant": 0, "id": 5}),
    }
    for kind, (at, members) in expected.items():
        for index in range(4):
            time = (FIRST + index) * CLOCK_PS
            assert number(vcd[f"mcos.events.{kind}.valid"][time]) == (index == at)
            for name, value in members.items():
                seen = number(vcd[f"mcos.events.{kind}.{name}"][time])
                assert seen == (value if index == at else None), (kind, name, index)
    changes = texts(tmp_path / "w.vcd", "mcos.events.request.op_name")
    assert list(changes.values()) == ["", "write", ""]


def test_the_first_state_is_dumped_whole_and_then_only_changes(tmp_path: Path):
    (values,) = probes(1)
    writer = write(tmp_path / "w.vcd", [values] * 3)
    text = (tmp_path / "w.vcd").read_text()

    head, rest = text.split(f"#{FIRST * CLOCK_PS}\n$dumpvars\n")
    dumped, rest = rest.split("$end\n")
    assert "#" not in head.split("$enddefinitions")[1]
    assert len(dumped.splitlines()) == len(writer.signals)
    assert "x" not in {line[0] for line in dumped.splitlines()} | set(dumped.split("b")[1][:1])
    times = [line for line in rest.splitlines() if line.startswith("#")]
    assert times == [f"#{(FIRST + index) * CLOCK_PS}" for index in (1, 2, 3)]
    assert len(rest.splitlines()) == len(times) + 2, "only the clock's number changes"


def test_state_beside_the_window(tmp_path: Path):
    clocks = probes(2)
    write(tmp_path / "w.vcd", clocks, in_flight={0: 512, 2: 64})
    state = json.loads((tmp_path / "w.json").read_text())

    assert state["config_hash"] == CONFIG.hash
    assert (state["clock"], state["time"]) == (FIRST, f"{FIRST * CLOCK_PS} ps")
    first = clocks[0]
    assert state["port"]["in_flight"] == first["channel"]["in_flight"]
    assert state["arbiter"]["virtual_time"] == first["channel"]["virtual_time"]
    assert list(state["tenants"]) == ["prefill", "decode_a", "decode_c"]
    tenant = state["tenants"]["decode_a"]
    assert (tenant["name"], tenant["tag"], tenant["in_flight"]) == ("decode-a", 1, 0)
    assert state["tenants"]["prefill"]["in_flight"] == 512
    for name in ("queued", "class_code", "start", "finish", "committed"):
        assert tenant[name] == first["tenants"][1][name]
    assert "events" not in state


@pytest.mark.parametrize(
    ("clock_ns", "timescale", "ticks"),
    [
        (Fraction(2), "1 ns", 2),
        (Fraction(5, 4), "1 ps", 1_250),
        (Fraction(1, 3_000) * 1_000, "1 fs", None),
        (Fraction(1_000_001, 1_000_000), "1 fs", 1_000_001),
    ],
)
def test_time_of_a_clock_is_exact(tmp_path: Path, clock_ns, timescale, ticks):
    write(tmp_path / "w.vcd", probes(7), clock_ns=clock_ns, first_clock=10**9)
    vcd = VCDVCD(str(tmp_path / "w.vcd"))
    times = [time for time, _ in vcd["mcos.clock"].tv]

    assert f"$timescale {timescale} $end" in (tmp_path / "w.vcd").read_text()
    if ticks is None:
        assert times == [(10**9 + index) * 10**6 // 3 for index in range(7)]
    else:
        assert times == [(10**9 + index) * ticks for index in range(7)]
        assert vcd.endtime == (10**9 + 7) * ticks


def test_same_samples_same_bytes(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        write(tmp_path / folder / "w.vcd", probes(9))
    for name in ("w.vcd", "w.json", "w.gtkw"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_clocks_come_one_by_one(tmp_path: Path):
    word = pack(probe_layout(CONFIG), probes(1)[0])
    with WindowWriter(
        tmp_path / "w.vcd", config=CONFIG, names=NAMES, clock_ns=CLOCK_NS, first_clock=FIRST
    ) as writer:
        with pytest.raises(ValueError, match=r"must be 1000, not 1001$"):
            writer.sample(FIRST + 1, word, PortEvents())
        writer.sample(FIRST, word, PortEvents())
        with pytest.raises(ValueError, match=r"must be 1001, not 1000$"):
            writer.sample(FIRST, word, PortEvents())
        assert writer.clocks == 1


def test_a_window_that_never_began_is_the_users_mistake(tmp_path: Path):
    with pytest.raises(UserError, match=r"must begin before the run ends, not at clock 1000;"):
        write(tmp_path / "w.vcd", [])
    assert list(tmp_path.iterdir()) == []


def test_the_file_must_not_be_the_one_of_its_state(tmp_path: Path):
    with pytest.raises(UserError, match=r"must be a \.vcd, not '.*w\.json'$"):
        write(tmp_path / "w.json", probes(1))
    assert list(tmp_path.iterdir()) == []


def test_another_error_is_not_hidden_by_an_empty_window(tmp_path: Path):
    settings = {"config": CONFIG, "names": NAMES, "clock_ns": CLOCK_NS, "first_clock": FIRST}
    with pytest.raises(KeyError), WindowWriter(tmp_path / "w.vcd", **settings):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clock_ns": Fraction(0)}, r"clock_ns must be over 0, not Fraction\(0, 1\)"),
        ({"first_clock": -1}, "first_clock must be at least 0, not -1"),
        ({"names": {}}, "names must name at least one tenant"),
        ({"names": {4: "x"}}, r"a tag of names must be in 0\.\.3, not 4"),
    ],
)
def test_settings_are_checked(tmp_path: Path, settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        write(tmp_path / "w.vcd", probes(1), **settings)
    assert list(tmp_path.iterdir()) == []
