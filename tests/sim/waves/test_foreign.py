"""Waveforms as other simulators write them: the same content gives the same answer."""

import dataclasses
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from tests.sim.waves.dumps import Dump, declared
from tests.sim.waves.windows import write_case

CONFIG = ChannelConfig(tenants=4)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    path = tmp_path_factory.mktemp("waves") / "window.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=260), path)
    return path


@pytest.fixture(scope="module")
def ours(window):
    return read_waveform(window)


@pytest.fixture
def dump(window):
    return Dump.parse(window.read_text())


@pytest.fixture
def put(window, tmp_path):
    """Writes a waveform with the state of the window beside it."""

    def write(text: str):
        path = tmp_path / "w.vcd"
        path.write_text(text)
        path.with_suffix(".json").write_text(window.with_suffix(".json").read_text())
        return path

    return write


def require_same(ours, theirs):
    assert np.array_equal(ours.clocks, theirs.clocks)
    for mine, other in (
        (ours.channel, theirs.channel),
        (ours.tenants, theirs.tenants),
        (ours.events, theirs.events),
    ):
        for name, column in mine.items():
            assert np.array_equal(column, other[name]), name


def both(path, mapping=None):
    """The waveform of a VCD, and of the FST that is made of it where that can be made."""
    yield read_waveform(path, mapping=mapping)
    if shutil.which("vcd2fst"):
        fst = path.with_suffix(".fst")
        subprocess.run(["vcd2fst", str(path), str(fst)], check=True, capture_output=True)
        yield read_waveform(fst, mapping=mapping)


def _var(kind, width, code, name):
    return f"$var {kind} {width} {code} {name} $end"


def spaced_ranges(dump):
    def change(kind, width, code, name):
        return [_var(kind, width, code, f"{name} [{width - 1}:0]" if width > 1 else name)]

    return dump.variables(change)


def tight_ranges(dump):
    def change(kind, width, code, name):
        return [_var(kind, width, code, f"{name}[0:{width - 1}]" if width > 1 else name)]

    return dump.variables(change)


def escaped_names(dump):
    return dump.variables(lambda kind, width, code, name: [_var(kind, width, code, f"\\{name}")])


def ports_and_registers(dump):
    return dump.variables(
        lambda kind, width, code, name: (
            [
                _var({"wire": "reg"}.get(kind, kind), width, code, name),
                _var("wire", width, code, f"{name}_again"),
            ]
            if kind != "string"
            else []
        )
    ).values(lambda line: [] if line.startswith("s") else [line])


def _split(dump, pieces, *, rising=False):
    """Each vector in variables of ``pieces(width)`` bits, the lowest first."""
    widths = {code: width for kind, width, code, _ in declared(dump) if kind != "string"}

    def variable(kind, width, code, name):
        if kind == "string":
            return []
        if width == 1:
            return [_var(kind, width, code, name)]
        rows, low = [], 0
        for size in pieces(width):
            first, last = low + size - 1, low
            if rising:
                first, last = width - 1 - first, width - 1 - last
            place = f"{first}:{last}" if size > 1 or rising else f"{low}"
            rows.append(_var(kind, size, f"{code}_{low}", f"{name} [{place}]"))
            low += size
        return rows

    def value(line):
        if line[0] == "s":
            return []
        if line[0] != "b":
            return [line]
        bits, code = line[1:].split()
        if widths[code] == 1:
            return [f"{bits}{code}"]
        bits = bits.rjust(widths[code], "0" if bits[0] == "1" else bits[0])[::-1]
        rows, low = [], 0
        for size in pieces(widths[code]):
            part = bits[low : low + size][::-1]
            rows.append(f"{part}{code}_{low}" if size == 1 else f"b{part} {code}_{low}")
            low += size
        return rows

    return dump.variables(variable).values(value)


def bit_by_bit(dump):
    return _split(dump, lambda width: [1] * width)


def in_two_parts(dump):
    return _split(dump, lambda width: [width // 2, width - width // 2])


def in_rising_parts(dump):
    return _split(
        dump, lambda width: [width // 2, width - width // 2] if width > 2 else [2], rising=True
    )


def long_values(dump):
    widths = {code: width for _, width, code, _ in declared(dump)}

    def change(line):
        if line[0] != "b":
            return [line]
        bits, code = line[1:].split()
        return [f"B{bits.rjust(widths[code], '0' if bits[0] == '1' else bits[0]).upper()} {code}"]

    return dump.values(change)


def words_on_lines(dump):
    header = ["\n\t".join(line.split(" ")) for line in dump.header]
    return Dump(header=header, changes=dump.changes).values(
        lambda line: ["\n".join(line.split(" "))]
    )


def comments(dump):
    text = "$comment b101 #7 $var\n $scope 1! $end"
    header = [row for line in dump.header for row in (line, text)]
    return Dump(header=header, changes=dump.changes).values(
        lambda line: [line.replace(" ", f" {text} ") if line[0] == "b" else line, text]
    )


def scopes_again(dump):
    """Every variable in scopes that are opened for it and closed."""
    header, scopes = [], []
    for line in dump.header:
        words = line.split()
        if words[0] == "$scope":
            scopes.append(line)
        elif words[0] == "$upscope":
            scopes.pop()
        elif words[0] == "$var":
            header += [*scopes, line, *["$upscope $end"] * len(scopes)]
        else:
            header.append(line)
    return Dump(header=header, changes=dump.changes)


def other_times(dump):
    header = [
        "$timescale\n\t10 fs\n$end" if line.startswith("$timescale") else line
        for line in dump.header
    ]
    return Dump(header=header, changes=[(7 * time, lines) for time, lines in dump.changes])


def checkpoint(dump):
    """One between two clocks, one in the time of a clock, and an empty time."""
    changes = []
    for place, (time, lines) in enumerate(dump.changes):
        every = ["$dumpall", *dump.checkpoint(place), "$end"]
        if place == 60:
            lines = [*lines, *every]
        changes.append((time, lines))
        if place in (40, 41):
            changes.append((time + 1, every if place == 40 else []))
    return Dump(header=dump.header, changes=changes)


def unknown_before(dump):
    return Dump(
        header=dump.header,
        changes=[(0, ["$dumpvars", *dump.unknown(), "$end"]), *dump.changes],
    )


def glitches(dump):
    """Every vector is zero first in the time in which it changes."""
    return dump.values(
        lambda line: [f"b0 {line.split()[1]}", line] if line.startswith("b") else [line]
    )


WRITTEN = (
    spaced_ranges,
    tight_ranges,
    escaped_names,
    ports_and_registers,
    bit_by_bit,
    in_two_parts,
    in_rising_parts,
    long_values,
    words_on_lines,
    comments,
    scopes_again,
    other_times,
    checkpoint,
    unknown_before,
    glitches,
)


VCD_ALONE = (in_rising_parts, long_values, words_on_lines, comments)
"""What pywellen does not join, and what vcd2fst does not read or falls over."""


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written.__name__)
def test_the_same_content_gives_the_same_answer(written, ours, dump, put):
    path = put(written(dump).text())
    for theirs in [read_waveform(path)] if written in VCD_ALONE else both(path):
        require_same(ours, theirs)
        assert check_waveform(theirs) == ([], 0)


def hide(dump, first, end):
    """Clocks from one place to another are not dumped."""
    changes = []
    for place, (time, lines) in enumerate(dump.changes):
        if place == first:
            changes.append((time, ["$dumpoff", *dump.unknown(), "$end"]))
        elif place == end:
            changes.append((time, ["$dumpon", *dump.checkpoint(place), "$end"]))
        elif not first < place < end:
            changes.append((time, lines))
    return Dump(header=dump.header, changes=changes)


def test_hidden_time_is_no_sample_and_no_violation(ours, dump, put):
    path = put(hide(hide(dump, 200, 206), 50, 90).text())
    places = np.r_[0:50, 90:200, 206 : len(ours.clocks)]
    for theirs in both(path):
        require_same(ours.rows(places), theirs)
        assert theirs.hidden_clocks == 46
        assert check_waveform(theirs) == ([], 0)


def test_a_clock_whose_signals_are_unknown_is_none(ours, dump, put):
    """A signal that must be known is not, for three clocks; another one need not be."""
    codes = {name: code for _, _, code, name in declared(dump)}
    vector, granted = codes["virtual_time"], codes["granted"]
    changes = list(dump.changes)
    known = next(line for line in dump.checkpoint(102) if line.endswith(f" {vector}"))
    for place in (100, 101, 102):
        lines = [line for line in changes[place][1] if not line.endswith(f" {vector}")]
        changes[place] = (changes[place][0], [*lines, f"b0x {vector}"])
    changes[103] = (changes[103][0], [known, *changes[103][1]])
    path = put(Dump(header=dump.header, changes=changes).text())
    places = np.r_[0:100, 103 : len(ours.clocks)]
    for theirs in both(path):
        require_same(ours.rows(places), theirs)
        assert theirs.hidden_clocks == 3
    assert granted != vector


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("lateness", [3, 0])
def test_a_sound_waveform_with_holes_is_sound(seed, lateness, tmp_path):
    """Holes of a few clocks anywhere, and around commits, where the rules look back most."""
    case = random_case(ChannelConfig(tenants=4, lateness=lateness), seed=seed, clocks=2_500)
    write_case(case, tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    first = int(waveform.clocks[0])
    commits = [clock - first for clock, _ in waveform.images if clock > first]
    rng = np.random.default_rng(seed)
    for _ in range(4):
        shown = np.ones(len(waveform.clocks), dtype=bool)
        for begin in [*rng.integers(0, len(shown), 12), *rng.integers(-6, 4, 3)]:
            if begin < 4 and commits:
                begin += rng.choice(commits)
            shown[max(begin, 0) : max(begin, 0) + rng.integers(1, 9)] = False
        assert check_waveform(waveform.rows(shown)) == ([], 0)


def test_stretches_of_a_few_clocks_are_checked_as_far_as_they_go(tmp_path):
    """Also those that end before a commit from before them is settled."""
    case = random_case(CONFIG, seed=1, clocks=2_500)
    write_case(case, tmp_path / "w.vcd")
    waveform = read_waveform(tmp_path / "w.vcd")
    first = int(waveform.clocks[0])
    commits = [clock - first for clock, _ in waveform.images if clock > first]
    assert commits
    for length in (1, 2, 3, 9):
        shown = np.arange(len(waveform.clocks)) % (length + 1) != 0
        stretches = list(waveform.rows(shown).stretches())
        assert max(len(each.clocks) for each in stretches) == length
        assert check_waveform(waveform.rows(shown)) == ([], 0)
        assert check_waveform(waveform.rows(slice(commits[0], commits[0] + length))) == ([], 0)


def test_generate_scopes_arrays_and_aliases_by_a_mapping(ours, dump, put, tmp_path):
    """The element that is asked for is taken, never another one."""

    def change(kind, width, code, name):
        if name == "virtual_time":
            return [
                _var(kind, width, code, "vtime[1]"),
                _var(kind, width, "other0", "vtime[0]"),
                _var(kind, width, "other2", "vtime[2]"),
            ]
        if name == "open":
            return [_var(kind, 1, code, "\\flag[0]"), _var(kind, 1, "other1", "\\flag[1]")]
        return [_var(kind, width, code, name)]

    renamed = dump.variables(change)
    renamed.header = [
        "$scope module tb $end\n$scope begin ch[3] $end"
        if line == "$scope module mcos $end"
        else line
        for line in renamed.header
    ]
    renamed.header.append("$upscope $end")
    first, lines = renamed.changes[0]
    renamed.changes[0] = (first, ["b1 other0", "b10 other2", "1other1", *lines])
    path = put(renamed.text())
    names = {
        name: name.replace("mcos.", "tb.ch[3].")
        for name in re.findall(r"mcos\.[\w.]+", "\n".join(_paths(dump)))
    }

    def mapped(**others):
        mapping = tmp_path / "names.toml"
        rows = {
            **names,
            **{f"mcos.arbiter.{key}": f"tb.ch[3].arbiter.{value}" for key, value in others.items()},
        }
        mapping.write_text(
            "[signals]\n"
            + "\n".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in rows.items())
        )
        return mapping

    for theirs in both(path, mapped(virtual_time="vtime[1]", open="flag[0]")):
        require_same(ours, theirs)
    for wrong in ({"virtual_time": "vtime"}, {"virtual_time": "vtime[1]", "open": "flag"}):
        mapping = mapped(**{"open": "flag[0]", **wrong})
        for suffix in (".vcd", ".fst"):
            if path.with_suffix(suffix).exists():
                with pytest.raises(UserError, match=r"is ambiguous|must have 1 bit"):
                    read_waveform(path.with_suffix(suffix), mapping=mapping)
    with pytest.raises(
        UserError, match=r"must have the signal tb\.ch\[3\]\.arbiter\.vtime\[3\], and"
    ):
        read_waveform(path, mapping=mapped(virtual_time="vtime[3]", open="flag[0]"))


def _paths(dump):
    scopes = []
    for line in dump.header:
        words = line.split()
        if words[0] == "$scope":
            scopes.append(words[2])
        elif words[0] == "$upscope":
            scopes.pop()
        elif words[0] == "$var":
            yield ".".join([*scopes, words[4]])


def test_two_variables_of_one_name_are_ambiguous(dump, put):
    twice = dump.variables(
        lambda kind, width, code, name: [
            _var(kind, width, code, name),
            *([_var(kind, width, "other", name)] if name == "virtual_time" else []),
        ]
    )
    with pytest.raises(UserError, match=r"virtual_time is ambiguous: there are 2 variables"):
        read_waveform(put(twice.text()))


def test_the_last_clock_counts_once_time_has_gone_on(ours, dump, put):
    """What is cut off between two lines is no violation."""
    time, lines = dump.changes[150]
    for count in range(len(lines) + 1):
        cut = dataclasses.replace(dump, changes=[*dump.changes[:150], (time, lines[:count])])
        theirs = read_waveform(put(cut.text()))
        require_same(ours.rows(slice(0, 150)), theirs)
    assert len(lines) > 5
