"""Mutated waveforms, states and mappings: an answer or one line, and nothing else."""

import copy
import json
import random
import re
import shutil
import subprocess
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import Wording, check_waveform
from mcos_sim.waves.summary import summarise
from tests.sim.waves.windows import write_case

CONFIG = ChannelConfig(tenants=4)

SECONDS = 5
"""Longer takes nothing of this size on a busy machine."""

EXAMPLES, SOAK_EXAMPLES = 350, 3_500

NUMBERS = (0, 1, -1, 2, 3, 15, 1 << 31, 1 << 32, 1 << 62, 1 << 63, 1 << 64, 10**30, 10**400)

VALUES = (None, True, 1.5, float("inf"), "", "x", "\x1b[2J", "\0", [], {}, [[]], {"a": 0}, *NUMBERS)

WORDS = (
    *("$end", "$var", "$scope", "$upscope", "$enddefinitions", "$dumpoff", "$dumpall", "$comment"),
    *("#", "#0", "#-1", "#99999999999999999999", f"#{10**400}", "b", "bx", "b2", "r1.5", "rx", "s"),
    *("bXZ", "x", "1", "0", "z!", "b" + "1" * 200, "\x00", "\x7f", "[0]", "[3:0]", "[0", "\\"),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Text of a window, its state and a mapping, and a folder for mutated ones."""
    folder = tmp_path_factory.mktemp("waves")
    path = folder / "window.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=24), path)
    assert check_waveform(read_waveform(path))[0] == []  # and all is compiled
    state = path.with_suffix(".json").read_text()
    names = "".join(f'"mcos.{name}" = "mcos.{name}"\n' for name in ("clock", "port.debt"))
    mapping = f'state = "m.json"\n[signals]\n{names}'
    return folder, path.read_bytes(), state, mapping


def bytes_flipped(text: bytes, rng: random.Random) -> bytes:
    found = bytearray(text)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(found))
        found[place] = rng.choice((found[place] ^ 1 << rng.randrange(8), rng.randrange(256)))
    return bytes(found)


def cut(text: bytes, rng: random.Random) -> bytes:
    first, end = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
    return rng.choice((text[:end], text[first:], text[:first] + text[end:]))


def lines_moved(text: bytes, rng: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 3))):
        place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(3)
        if kind == 0:
            lines[place], lines[other] = lines[other], lines[place]
        elif kind == 1:
            lines.insert(other, lines[place])
        elif len(lines) > 1:
            del lines[place]
    return b"".join(lines)


def words_replaced(text: bytes, rng: random.Random) -> bytes:
    lines = text.split(b"\n")
    for _ in range(rng.choice((1, 1, 3))):
        place = rng.randrange(len(lines))
        words = lines[place].split(b" ")
        words[rng.randrange(len(words))] = rng.choice(WORDS).encode()
        lines[place] = b" ".join(words)
    return b"\n".join(lines)


def numbers_replaced(text: bytes, rng: random.Random) -> bytes:
    if not any(chr(each).isdigit() for each in text):
        return text
    digits = [k for k, each in enumerate(text) if chr(each).isdigit()]
    first = end = rng.choice(digits)
    while end < len(text) and chr(text[end]).isdigit():
        end += 1
    return text[:first] + str(rng.choice(NUMBERS)).encode() + text[end:]


OF_BYTES = (bytes_flipped, cut, lines_moved, words_replaced, numbers_replaced)


def values_replaced(text: str, rng: random.Random) -> bytes:
    """A JSON with another value somewhere, a key less, or a key more."""
    root = {"": json.loads(text)}
    for _ in range(rng.choice((1, 1, 2))):
        place, key = root, ""
        while rng.random() < 0.85:
            inner = place[key]
            if not isinstance(inner, (dict, list)) or not inner:
                break
            place, key = (
                inner,
                rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner))),
            )
        kind = rng.randrange(8)
        if kind == 0 and place is not root:
            del place[key]
        elif kind == 1 and isinstance(place, dict):
            place[rng.choice(("x", "\x1b", "clock", "tag"))] = copy.deepcopy(rng.choice(VALUES))
        else:
            place[key] = copy.deepcopy(rng.choice(VALUES))
    return json.dumps(root[""]).encode()


def is_sound(files, vcd: bytes, state: bytes, mapping: bytes | None) -> bool:
    """Whether there is a result, not one line of the user's mistake; either in no time."""
    folder, *_ = files
    path, names = folder / "m.vcd", folder / "m.toml"
    path.write_bytes(vcd)
    path.with_suffix(".json").write_bytes(state)
    if mapping is not None:
        names.write_bytes(mapping)
    begun = time.process_time()
    try:
        waveform = read_waveform(path, mapping=None if mapping is None else names)
        wording = Wording(waveform)
        for each in check_waveform(waveform)[0]:
            told = wording.tell(each)
            assert told.value_text != told.expected_text
        summarise(waveform)
    except UserError as error:
        sound, told = False, str(error)
    else:
        sound, told = True, f"{path}: sound"
    assert "\n" not in told
    assert re.match(rf"{path}:|{path.with_suffix('.json')}: |{names}: |.*: must be the state", told)
    assert len(told) < 700
    assert time.process_time() - begun < SECONDS
    return sound


def require_answers(attempt, files, examples: int) -> None:
    """An answer to every seed; some must be refused, or nothing was damaged, and some be sound."""
    outcomes: Counter[bool] = Counter()

    # Given seeds, so that a failing example is a number.
    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(seed=st.integers(0, 2**32 - 1))
    def each(seed):
        outcomes[attempt(files, seed)] += 1

    each()
    assert min(outcomes[True], outcomes[False]) >= examples / 100, outcomes


def a_vcd(files, seed: int) -> bool:
    _, vcd, state, _ = files
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 2))):
        vcd = rng.choice(OF_BYTES)(vcd, rng) or b"$"
    return is_sound(files, vcd, state.encode(), None)


def a_state(files, seed: int) -> bool:
    _, vcd, state, _ = files
    rng = random.Random(seed)
    broken = (
        values_replaced(state, rng)
        if rng.random() < 0.8
        else rng.choice(OF_BYTES)(state.encode(), rng)
    )
    return is_sound(files, vcd, broken, None)


def a_mapping(files, seed: int) -> bool:
    _, vcd, state, mapping = files
    rng = random.Random(seed)
    broken = rng.choice(OF_BYTES)(mapping.encode(), rng)
    return is_sound(files, vcd, state.encode(), broken)


def test_a_mutated_vcd_has_an_answer(files):
    require_answers(a_vcd, files, EXAMPLES)


def test_a_mutated_state_has_an_answer(files):
    require_answers(a_state, files, EXAMPLES)


def test_a_mutated_mapping_has_an_answer(files):
    require_answers(a_mapping, files, EXAMPLES)


@pytest.mark.skipif(shutil.which("vcd2fst") is None, reason="needs vcd2fst of GTKWave")
@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 400), marks=pytest.mark.soak)])
def test_a_mutated_fst_has_an_answer(seeds, files):
    """Of some of these the library dies; they are tried in a process of their own first."""
    folder, vcd, state, _ = files
    path = folder / "f.vcd"
    path.write_bytes(vcd)
    subprocess.run(["vcd2fst", str(path), str(path.with_suffix(".fst"))], check=True)
    sound = path.with_suffix(".fst").read_bytes()
    path = folder / "m.fst"
    path.with_suffix(".json").write_text(state)
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        path.write_bytes(rng.choice((bytes_flipped, cut))(sound, rng))
        try:
            read_waveform(path)
        except UserError as error:
            told = str(error)
            refused += 1
            assert told.startswith(f"{path}: ")
            assert told.isprintable()
            assert len(told) < 400 + len(str(path))
    assert refused >= len(seeds) / 4


@pytest.mark.soak
def test_many_mutated_vcds_have_an_answer(files):
    require_answers(a_vcd, files, SOAK_EXAMPLES)


@pytest.mark.soak
def test_many_mutated_states_have_an_answer(files):
    require_answers(a_state, files, SOAK_EXAMPLES)


@pytest.mark.soak
def test_many_mutated_mappings_have_an_answer(files):
    require_answers(a_mapping, files, SOAK_EXAMPLES)
