"""Waveforms, states and mappings that are damaged, and outputs that would destroy a good one."""

import json
import re
from collections.abc import Callable

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.lockstep.case import random_case
from tests.sim.commands.bad_inputs.pantry import FILES
from tests.sim.commands.bad_inputs.runner import check, ids
from tests.sim.waves.windows import write_case


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """Text of a waveform and of its state."""
    path = tmp_path_factory.mktemp("waves") / "w.vcd"
    write_case(random_case(ChannelConfig(tenants=4), seed=4, clocks=100), path)
    return path.read_text(), path.with_suffix(".json").read_text()


def _after(text: str, line: str) -> str:
    """A line put behind the first time of a VCD but one."""
    place = [match.start() for match in re.finditer(r"^#\d+$", text, re.MULTILINE)][2]
    return f"{text[:place]}{line}\n{text[place:]}"


VCDS: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda text: "", "w.vcd"),
    "binary": (lambda text: "\0\1\2" * 50, "w.vcd"),
    "another format": (lambda text: "<html></html>\n", "w.vcd"),
    "no end of definitions": (lambda text: text[: text.index("$enddefinitions")], "w.vcd"),
    "cut in the header": (lambda text: text[:200], "w.vcd"),
    "cut in a value": (lambda text: text[: text.rindex("b") + 1], "w.vcd"),
    "header only": (lambda text: text[: text.index("#")], "w.vcd"),
    "a value that is none": (lambda text: _after(text, "b01q! !"), "w.vcd:"),
    "a value of nobody": (lambda text: _after(text, "1~~~~~"), "w.vcd:"),
    "a time of 400 digits": (lambda text: _after(text, f"#{'9' * 400}"), "w.vcd:"),
    "a time that is none": (lambda text: _after(text, "#soon"), "w.vcd:"),
    "time going back": (lambda text: _after(text, "#1"), "w.vcd:"),
    "a word of nothing": (lambda text: _after(text, "hello"), "w.vcd:"),
    "an escape code": (lambda text: _after(text, "\x1b[31m"), "w.vcd:"),
    "a signal less": (lambda text: text.replace(" virtual_time ", " verbal_time "), "w.vcd"),
    "other scopes": (lambda text: text.replace("module mcos ", "module [red] "), "w.vcd"),
    "a width of 26 digits": (
        lambda text: re.sub(r"\$var wire +\d+", f"$var wire {'9' * 26}", text, count=1),
        "w.vcd:",
    ),
    "a width that is none": (
        lambda text: re.sub(r"\$var wire +\d+", "$var wire x", text, count=1),
        "w.vcd:",
    ),
}


@pytest.mark.parametrize(("damage", "says"), VCDS.values(), ids=VCDS)
def test_damage_is_not_a_violation(window, damage, says, tmp_path, capsys, monkeypatch):
    files = {"w.vcd": damage(window[0]), "w.json": window[1]}
    check("waves w.vcd --limit 5 --html w.html", says, _with(files), tmp_path, capsys, monkeypatch)


def _set(*keys: str, to: object) -> Callable[[str], str]:
    """A state in which something is of another type or value."""

    def change(text: str) -> str:
        state = json.loads(text)
        place = state
        for key in keys[:-1]:
            place = place[next(iter(place)) if key == "*" else key]
        place[keys[-1]] = to
        return json.dumps(state)

    return change


def _without(key: str) -> Callable[[str], str]:
    return lambda text: json.dumps(
        {name: value for name, value in json.loads(text).items() if name != key}
    )


STATES: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "a list": lambda text: "[]",
    "a number": lambda text: "7",
    "nothing": lambda text: "null",
    "deep": lambda text: "[" * 100_000,
    "5,000 digits": lambda text: '{"config": ' + "9" * 5_000 + "}",
    "no config": _without("config"),
    "no images": _without("images"),
    "no tenants": _without("tenants"),
    "config a list": _set("config", to=[]),
    "config empty": _set("config", to={}),
    "config unknown": _set("config", "\x1b[31m", to=1),
    "size a text": _set("config", "tenants", to="4"),
    "size zero": _set("config", "tenants", to=0),
    "size of 26 digits": _set("config", "tenants", to=10**26),
    "size a switch": _set("config", "l_max", to=True),
    "arbiter unknown": _set("arbiter_kind", to="\x1b[31m[red]"),
    "arbiter a number": _set("arbiter_kind", to=5),
    "images a number": _set("images", to=5),
    "images empty": _set("images", to=[]),
    "images of numbers": _set("images", to=[1, 2]),
    "tenants a list": _set("tenants", to=[]),
    "tenants numbers": _set("tenants", to={"a": 1}),
    "tag a text": _set("tenants", "*", "tag", to="x"),
    "tag 99": _set("tenants", "*", "tag", to=99),
    "tag below zero": _set("tenants", "*", "tag", to=-1),
    "name a number": _set("tenants", "*", "name", to=5),
    "name a list": _set("tenants", "*", "name", to=[]),
}


@pytest.mark.parametrize("damage", STATES.values(), ids=STATES)
def test_a_damaged_state_is_named(window, damage, tmp_path, capsys, monkeypatch):
    files = {"w.vcd": window[0], "w.json": damage(window[1])}
    check("waves w.vcd --html w.html", "w.json", _with(files), tmp_path, capsys, monkeypatch)


MAPPINGS = {
    "none.toml": "",
    "syntax.toml": "[signals",
    "loop": "",
    "folder": "",
    "zeros.toml": "",
    "m.toml": "colour = 1",
    "m1.toml": "state = 5",
    "m2.toml": 'state = "nowhere.json"',
    "m3.toml": "signals = 5",
    "m4.toml": "[signals]\n'mcos.clock' = 5",
    "m5.toml": "[signals]\n'mcos.\\u001b[31m' = 'x'",
    "m6.toml": "[signals]\n'mcos.clock' = '[red]\\nx'",
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_that_is_none(window, name, tmp_path, capsys, monkeypatch):
    own = {name: MAPPINGS[name]} if name.startswith("m") else {}
    files = _with({"w.vcd": window[0], "w.json": window[1], **own})
    line = f"waves w.vcd --mapping {name} --html w.html"
    check(line, "", files, tmp_path, capsys, monkeypatch)


GUARDED = "must not be written"

ROWS = [
    ("waves w.vcd --json w.json", f"w.json {GUARDED}"),
    ("waves w.vcd --json ./w.json", f"w.json {GUARDED}"),
    ("waves w.vcd --json hard.json", f"hard.json {GUARDED}"),
    ("waves w.vcd --json link.json", f"link.json {GUARDED}"),
    ("waves w.vcd --html w.json", f"w.json {GUARDED}"),
    ("waves w.vcd --perfetto w.json", f"w.json {GUARDED}"),
    ("waves w.vcd --html w.vcd", f"w.vcd {GUARDED}"),
    ("waves w.vcd --html w.gtkw", f"w.gtkw {GUARDED}"),
    ("waves w.vcd --json w.sucl", f"w.sucl {GUARDED}"),
    ("waves w.vcd --html x --perfetto x", f"x {GUARDED}"),
    ("waves w.vcd --svg w.json", f"w.json {GUARDED}"),
    ("waves w.vcd --svg x --html x", f"x {GUARDED}"),
    ("waves w.vcd --svg /dev/full", "/dev/full must be a file"),
    ("waves w.vcd --at 1050", "--at is the clock of --svg"),
    ("waves w.vcd --svg x --at 5", "--at must be a clock that is shown, not 5"),
    ("waves w.vcd --svg x --at -1", "--at"),
    ("waves w.vcd --html x --json ./x", f"x {GUARDED}"),
    ("waves w.vcd --html x --json x/y", f"x {GUARDED} as a file"),
    ("waves w.vcd --mapping state.toml --json other.json", f"other.json {GUARDED}"),
    ("waves w.vcd --mapping state.toml --json state.toml", f"state.toml {GUARDED}"),
    ("waves w.vcd --html folder", "folder must be a file"),
    ("waves w.vcd --perfetto /dev/full", "/dev/full must be a file"),
    ("waves w.vcd --html /dev/full", "/dev/full must be a file"),
    ("waves w.vcd --json /dev/full", "/dev/full must be a file"),
    ("waves w.vcd --html file/x", "file/x must be a file"),
    ("waves w.vcd --grants 5", "--grants must be two clocks"),
    ("waves w.vcd --grants 9:5", "--grants must be two clocks"),
    ("waves w.vcd --grants 5000000:6000000", "--grants"),
    (f"waves w.vcd --grants {'9' * 26}:{'9' * 27}", "--grants must be two clocks"),
    ("waves w.vcd --limit 0", "--limit"),
    ("waves c.toml", "c.toml: must be a waveform, VCD or FST, and does not begin as one; name the"),
    ("waves missing.vcd", "missing.vcd"),
    ("waves folder", "folder"),
    ("waves loop", "loop"),
    ("waves /dev/null", "/dev/null"),
    ("waves w.fst", "w.fst"),
    ("waves lonely.vcd", "lonely.json"),
    ("waves", "Missing argument"),
]


@pytest.mark.parametrize(("line", "says"), ROWS, ids=ids(ROWS))
def test_a_good_waveform_survives(window, line, says, tmp_path, capsys, monkeypatch):
    files = {
        "w.vcd": window[0],
        "w.json": window[1],
        "lonely.vcd": window[0],
        "w.fst": b"\0not an FST",
        "w.gtkw": "save file",
        "other.json": window[1],
        "state.toml": 'state = "other.json"\n',
        "hard.json": lambda path: path.hardlink_to(path.with_name("w.json")),
        "link.json": lambda path: path.symlink_to("w.json"),
    }
    check(line, says, _with(files), tmp_path, capsys, monkeypatch)


def _with(files: dict) -> dict:
    """Writes the files of the pantry too; beside ``w.vcd`` its state."""
    return FILES | files
