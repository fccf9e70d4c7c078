"""Damaged waveforms, states and mappings: one line says what is wrong, and where."""

import json
import os
import re
import threading

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.vcd import read_vcd
from tests.sim.commands.command_line import run_command
from tests.sim.waves.windows import write_case

CONFIG = ChannelConfig(tenants=4)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    path = tmp_path_factory.mktemp("waves") / "window.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=60), path)
    return path


@pytest.fixture(scope="module")
def text(window):
    return window.read_text()


@pytest.fixture(scope="module")
def state(window):
    return window.with_suffix(".json").read_text()


HEAD = "$timescale 1 ns $end\n$scope module mcos $end\n$var wire 4 ! a $end\n"
BODY = "$upscope $end\n$enddefinitions $end\n#0\nb0 !\n#10\nb1 !\n#20\n"

DAMAGED = [
    (HEAD + BODY + "b12 !\n", "11: a value must have digits 0, 1, x, z, not '12'"),
    (HEAD + BODY + "b1_0 !\n", "11: a value must have digits 0, 1, x, z, not '1_0'"),
    (HEAD + BODY + "b !\n", "11: a value must have digits 0, 1, x, z, not ''"),
    (HEAD + BODY + "b10101 !\n", "11: a value of '!' must have at most 4 bits, not 5"),
    (HEAD + BODY + "b1\n", "11: a value must have an identifier, and 'b1' has none"),
    (HEAD + BODY + "1\n", "11: a value must have an identifier, and '1' has none"),
    (HEAD + BODY + "1?\n", "11: a value must be that of a variable, and '?' is none"),
    (HEAD + BODY + "?1\n", "11: a change must be a value or a time, not '?1'"),
    (
        HEAD + BODY + "\x1b[31m\x00\n",
        "11: a change must be a value or a time, not '\\x1b[31m\\x00'",
    ),
    (HEAD + BODY + "#19\n", "11: times must not go back, and 19 comes after 20"),
    (HEAD + BODY + "#-1\n", "11: a time must be a number under 2^62, not '-1'"),
    (HEAD + BODY + "#\n", "11: a time must be a number under 2^62, not ''"),
    (HEAD + BODY + f"#{10**399}\n", "11: a time must be a number under 2^62, not '1000000000"),
    (HEAD + BODY + f"#{1 << 62}\n", f"11: a time must be a number under 2^62, not '{1 << 62}'"),
    (HEAD + BODY + "$comment never\n", "11: a comment must end with $end, and does not"),
    (HEAD + BODY + "$var wire 1 # b $end\n", "11: a change must be a value or a time, not '$var'"),
    (HEAD + BODY + "$dumpports\n", "11: must be a VCD, and is an extended one of ports"),
    (
        HEAD + "$var port [3:0] <0 b $end\n",
        "4: must be a VCD, and is an extended one of ports; write it with $dumpvars in place of",
    ),
    ("", "0: a VCD must have $enddefinitions: the file is cut off, or none"),
    ("\x7fELF\x02\x01", "1: a VCD's header must have commands as $var, not '\\x7fELF"),
    (HEAD, "3: a VCD must have $enddefinitions"),
    (HEAD + "$var wire 4", "4: '$var' must end with $end: the file is cut off"),
    (HEAD + "$var wire 4 # b\n" + BODY, "5: '$var' must end with $end before '$upscope'"),
    (HEAD + "$var wire four # b $end\n", "4: $var must have a type, a width, an identifier and a"),
    (HEAD + "$var wire 4 # $end\n", "4: $var must have a type, a width, an identifier and a name"),
    (HEAD + "$var wire 3 ! b $end\n" + BODY, "6: variables of one identifier must have one width"),
    (HEAD + "$upscope $end\n" + BODY, "5: $upscope must close a scope, and none is open"),
    (HEAD + "$scope $end\n", "4: $scope must have a kind and a name"),
    (HEAD.replace("1 ns", "3 ns"), "1: $timescale must be 1, 10 or 100 and a unit from s to fs"),
]


@pytest.mark.parametrize(("written", "message"), DAMAGED)
def test_a_damaged_vcd_is_refused_by_line(written, message, state, tmp_path):
    path = tmp_path / "w.vcd"
    path.write_text(written.replace(" a $end", " clock $end"))
    # One signal is enough here: everything that is refused comes before the others are missed.
    path.with_suffix(".json").write_text(state)
    with pytest.raises(UserError) as caught:
        _read_alone(path)
    assert str(caught.value).startswith(f"{path}:{message}")
    assert str(caught.value).isprintable()


def _read_alone(path):
    """Read a VCD of one variable, which is wanted."""
    from mcos_sim.waves.vcd import read_vcd

    return read_vcd(path, lambda variables: {each.code for each in variables}, lambda part: None)


def test_a_sound_vcd_of_one_variable_is_read(tmp_path):
    """The other side of every refusal."""
    path = tmp_path / "w.vcd"
    path.write_text(HEAD + BODY + f"bx1 !\n#{(1 << 62) - 1}\n#{(1 << 62) - 1}\nB1010 !\n")
    changes, end = _read_alone(path)
    (times, values), *rest = changes.values()
    assert rest == []
    assert list(times) == [0, 10, 20, (1 << 62) - 1]
    assert list(values) == [0, 1, -(1 << 63), 10]
    assert end == (1 << 62) - 1


CLOCKS = [
    ("b10000000001 !", "b10000000000 !", None),
    (
        "b10000000010 !",
        "b1111111111 !",
        r"mcos\.clock must count clocks, and goes from 1025 to 1023",
    ),
    ("b10000000001 !", "bx !", None),
]


@pytest.mark.parametrize(("old", "new", "message"), CLOCKS)
def test_a_clock_that_does_not_count_is_refused(old, new, message, text, state, tmp_path):
    path = tmp_path / "w.vcd"
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    path.with_suffix(".json").write_text(state)
    if message is None:
        read_waveform(path)
    else:
        with pytest.raises(UserError, match=message):
            read_waveform(path)


def test_a_counter_of_something_else_is_refused(text, state, tmp_path):
    path = tmp_path / "w.vcd"
    path.with_suffix(".json").write_text(state)
    path.write_text(re.sub(r"^b(1[01]{10}) !$", r"b\g<1>0 !", text, flags=re.MULTILINE))
    with pytest.raises(UserError, match=r"mcos\.clock must count clocks one by one, and goes from"):
        read_waveform(path)


def test_a_value_that_no_channel_has_is_refused(text, state, tmp_path):
    """A tag of 9 among four tenants: the wrong signal or the wrong state, not a violation."""
    path = tmp_path / "w.vcd"
    path.with_suffix(".json").write_text(state)
    match = re.search(
        r"\$scope module request \$end.*?\$var wire 2 (\S+) tenant \$end", text, re.DOTALL
    )
    code = match[1]
    text = text.replace(f"$var wire 2 {code} tenant", f"$var wire 4 {code} tenant")
    path.write_text(
        re.sub(rf"^b[01]+ {re.escape(code)}$", lambda _: f"b1001 {code}", text, flags=re.MULTILINE)
    )
    with pytest.raises(
        UserError, match=r"request\.tenant must have values of 2 bits, not 9 in clock"
    ):
        read_waveform(path)


def changed(path, value):
    """A state with another value at a path; DELETED takes it away."""

    def change(state):
        place = state
        for key in path[:-1]:
            place = place[key]
        if value is DELETED:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        return state

    return change


DELETED = object()
TENANT = ("images", 0, "tenants", 1)

STATES = [
    (changed(("tenants",), []), "tenants must be an object, not []"),
    (changed(("tenants",), {}), "tenants must have at least one tenant, and is empty"),
    (changed(("tenants", "x"), 5), "tenants.'x' must be an object, not 5"),
    (
        changed(("tenants", "x"), {"tag": 99, "name": "x"}),
        "tenants.'x'.tag must be in 0..3, not 99",
    ),
    (
        changed(("tenants", "x"), {"tag": -1, "name": "x"}),
        "tenants.'x'.tag must be in 0..3, not -1",
    ),
    (
        changed(("tenants", "x"), {"tag": True, "name": "x"}),
        "tenants.'x'.tag must be a whole number",
    ),
    (
        changed(("tenants", "x"), {"tag": 1.0, "name": "x"}),
        "tenants.'x'.tag must be a whole number",
    ),
    (changed(("tenants", "x"), {"name": "x"}), "tenants.'x'.tag must be there, and is not"),
    (changed(("tenants",), {"x": {"tag": 0, "name": 5}}), "tenants.'x'.name must be text, not 5"),
    (
        changed(("tenants",), {s: {"tag": 0, "name": "x"} for s in "ab"}),
        "tenants.'b'.tag must be that of one tenant, and 0 is another one's",
    ),
    (changed(("config",), DELETED), "config must be there, and is not"),
    (changed(("config",), 7), "config must be an object, not 7"),
    (changed(("config", "tenants"), 5), "config: tenants must be a power of two, not 5"),
    (changed(("config", "tenants"), "4"), "config: tenants must be an integer, not '4'"),
    (changed(("config", "tenants"), 10**30), "config: tenants must be in 4..16, not 1000"),
    (changed(("config", "lateness"), DELETED), "config.lateness must be there, and is not"),
    (changed(("config", "\x1b[2J"), 0), "config must have no key '\\x1b[2J'"),
    (changed(("arbiter_kind",), "x" * 99), "arbiter_kind must be one of "),
    (changed(("arbiter_kind",), None), "arbiter_kind must be text, not null"),
    (changed(("images",), []), "images must have at least one image, and is empty"),
    (changed(("images",), {}), "images must be a list, not {}"),
    (changed(("images", 0), []), "images[0] must be an object, not []"),
    (changed(("images", 0, "clock"), "x"), "images[0].clock must be a whole number, not 'x'"),
    (changed(("images", 0, "clock"), -1), "images[0].clock must be a clock after the one before"),
    (changed(("images", 0, "clock"), 1 << 62), "images[0].clock must be a clock after the one"),
    (changed(("images", 0, "clock"), DELETED), "images[0].clock must be there, and is not"),
    (changed(("images", 0, "channel"), []), "images[0].channel must be an object, not []"),
    (changed(("images", 0, "tenants"), {}), "images[0].tenants must be a list, not {}"),
    (
        changed(("images", 0, "tenants"), []),
        "images[0]: settings must have one tenant for each of 4",
    ),
    (changed(TENANT, None), "images[0].tenants[1] must be an object, not null"),
    (changed((*TENANT, "enable"), True), "images[0].tenants[1].enable must be a whole number"),
    (changed((*TENANT, "enable"), 2), "images[0]: "),
    (changed((*TENANT, "peak_rate"), -1), "images[0]: "),
    (changed((*TENANT, "peak_rate"), 10**400), "images[0]: "),
    (changed((*TENANT, "more"), 1), "images[0].tenants[1] must have no key 'more'"),
    (
        changed(("images", 0, "channel", "port_credit"), DELETED),
        "images[0].channel.port_credit must be there, and is not",
    ),
    (lambda state: [state], "a state must be an object, not [{"),
    (lambda state: None, "a state must be an object, not null"),
]


@pytest.mark.parametrize(("change", "message"), STATES)
def test_a_wrong_state_is_refused_by_key(change, message, text, state, tmp_path, capsys):
    path = tmp_path / "w.vcd"
    path.write_text(text)
    path.with_suffix(".json").write_text(json.dumps(change(json.loads(state))))
    assert run_command("waves", path) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"mcos: error: {path.with_suffix('.json')}: {message}")
    assert told.count("\n") == 1
    assert len(told) < 500 + len(str(path))
    assert told.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"config": ' + b"9" * 5_000 + b"}", b"NaN"],
)
def test_a_state_that_is_no_json_is_refused(written, text, tmp_path, capsys):
    path = tmp_path / "w.vcd"
    path.write_text(text)
    path.with_suffix(".json").write_bytes(written)
    assert run_command("waves", path) == 2
    told = capsys.readouterr().err
    assert re.search(r"w\.json: (must be JSON|a state must be an object)", told)
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[signal]\n", "must have only state and the table signals, not 'signal'"),
        ("state = 5\n", "state must be text, not 5"),
        ("state = '../no\\u0000'\nstate = 1", "must be TOML"),
        ('state = "a\\u0000b"\n', "state must be a path, not 'a\\x00b'"),
        ("signals = []\n", "signals must be an object, not []"),
        ('[signals]\n"mcos.clock" = 5\n', "signals.'mcos.clock' must be text, not 5"),
        ('[signals]\n"mcos.clock" = 2026-01-01\n', "signals.'mcos.clock' must be text, not"),
        (
            '[signals]\n"mcos.clok" = "x"\n',
            "signals must be named by ours, and 'mcos.clok' is none",
        ),
        ("[signals]\nmcos.clock = 'x'\n", "signals.'mcos' must be text, not {"),
        ("signals = ", "must be TOML"),
        ("x = " + "[" * 5_000, "must be TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_by_key(written, message, window, tmp_path, capsys):
    mapping = tmp_path / "names.toml"
    mapping.write_text(written)
    assert run_command("waves", window, "--mapping", mapping) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"mcos: error: {mapping}: {message}")
    assert told.count("\n") == 1


def test_names_do_not_reach_the_terminal_raw(text, state, tmp_path, capsys):
    path = tmp_path / "w.vcd"
    path.write_text(text)
    found = json.loads(state)
    name = "[red]x[/red] \x1b[31m\r\x07\u202e"
    for row in found["tenants"].values():
        row["name"] = name
    path.with_suffix(".json").write_text(json.dumps(found))
    assert run_command("waves", path, "--grants", "1024:1084") == 0
    told = capsys.readouterr().out
    assert "[red]x[/red]" in told
    assert told.replace("\n", "").isprintable()


def test_a_pipe_is_read(text, state, tmp_path, monkeypatch):
    """As of ``zcat w.vcd.gz``; a pipe does not say how far it is."""
    monkeypatch.setattr("mcos_sim.waves.vcd._LINES", 10)
    pipe = tmp_path / "w.vcd"
    pipe.with_suffix(".json").write_text(state)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,), daemon=True)
    writer.start()
    assert len(read_waveform(pipe).clocks) == 60
    writer.join()


def test_a_line_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mcos_sim.waves.vcd._LONGEST_LINE", 1_000)
    path = tmp_path / "w.vcd"
    for length, message in (
        (999, "a VCD's header must have commands"),
        (1_000, "a line must have"),
    ):
        path.write_bytes(b"x" * length)
        with pytest.raises(UserError, match=f"w.vcd:1: {message}"):
            read_vcd(path, lambda variables: set(), lambda part: None)


def test_a_state_or_a_mapping_without_an_end_is_refused(text, tmp_path, capsys):
    path, mapping = tmp_path / "w.vcd", tmp_path / "m.toml"
    path.write_text(text)
    path.with_suffix(".json").symlink_to("/dev/zero")
    assert run_command("waves", path) == 2
    assert (
        "must be the state that the waveform starts from: File too large" in capsys.readouterr().err
    )
    mapping.symlink_to("/dev/zero")
    assert run_command("waves", path, "--mapping", mapping) == 2
    assert "must be a mapping file: File too large" in capsys.readouterr().err


def test_a_window_may_have_a_name_that_is_not_utf8(tmp_path):
    path = tmp_path / "w\udcff.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=60), path)
    assert b'"w\xff.vcd"' in path.with_suffix(".gtkw").read_bytes()
    assert len(read_waveform(path).clocks) == 60


def test_grants_outside_the_window_are_refused(window, capsys):
    for asked in ("1:1024", "1084:9999"):
        assert run_command("waves", window, "--grants", asked) == 2
        told = capsys.readouterr().err
        assert f"--grants must name clocks that are shown, not {asked}; the waveform has " in told
        assert "60 of 1024:1084" in told
    for asked in ("1:1025", "1083:9999"):
        assert run_command("waves", window, "--grants", asked) == 0
    assert run_command("waves", window, "--grants", f"1:{'9' * 5_000}") == 2
    assert "must be two clocks A:B" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["--json", "--perfetto", "--html"])
def test_what_is_read_is_never_written(output, window, text, state, tmp_path, capsys):
    path, own = tmp_path / "w.vcd", tmp_path / "w.json"
    other, mapping = tmp_path / "s.json", tmp_path / "m.toml"
    for target, content in (
        (path, text),
        (own, state),
        (other, state),
        (mapping, 'state = "s.json"'),
    ):
        target.write_text(content)
    for target in (path, own, other, mapping):
        before = target.read_text()
        assert run_command("waves", path, "--mapping", mapping, output, target) == 2
        assert target.read_text() == before
    assert "must not be written" in capsys.readouterr().err
