"""Steps run once for the same inputs."""

import pytest

from mcos_sim.synthesis.cache import Cache


def test_step_runs_once_for_the_same_inputs(tmp_path):
    ran = []

    def make(folder):
        ran.append(folder)
        return {"luts": len(ran)}

    cache = Cache(tmp_path)
    assert cache.step("map", {"rtlil": "a"}, make) == {"luts": 1}
    assert Cache(tmp_path).step("map", {"rtlil": "a"}, make) == {"luts": 1}
    assert cache.step("map", {"rtlil": "b"}, make) == {"luts": 2}
    assert cache.step("time", {"rtlil": "a"}, make) == {"luts": 3}
    assert ran[0] == cache.folder("map", {"rtlil": "a"})


def test_failed_step_runs_again(tmp_path):
    cache = Cache(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.step("map", {}, lambda folder: {"luts": 1 // 0})
    assert cache.step("map", {}, lambda folder: {"luts": 7}) == {"luts": 7}


def _damages(step):
    """Ways in which a step's folder is found after a power cut, a full disk or a careless hand."""
    record, netlist = step / "result.json", step / "netlist.v"
    whole = record.read_text()
    yield record, ""
    yield record, whole[: len(whole) // 2]
    yield record, "[" * 100_000
    yield record, "{}"
    yield record, "7"
    yield record, whole.replace('"luts": 1', '"luts": 2')
    yield netlist, ""
    yield netlist, None


def test_a_damaged_step_runs_again(tmp_path):
    cache = Cache(tmp_path)
    ran = []

    def make(folder):
        ran.append(folder)
        (folder / "netlist.v").write_text("module")
        return {"luts": 1}

    def run():
        return cache.step("map", {}, make, files=["netlist.v"])

    run()
    for place, (path, text) in enumerate(_damages(ran[0]), start=1):
        path.unlink() if text is None else path.write_text(text)
        assert run() == {"luts": 1}
        assert len(ran) == place + 1, (path, text)
        assert run() == {"luts": 1}
        assert len(ran) == place + 1


def test_a_step_of_other_inputs_is_not_taken(tmp_path):
    """A result that was copied into the folder of another step."""
    cache = Cache(tmp_path)
    cache.step("map", {"seed": 1}, lambda folder: {"luts": 1})
    other = cache.folder("map", {"seed": 2})
    cache.folder("map", {"seed": 1}).rename(other)
    assert cache.step("map", {"seed": 2}, lambda folder: {"luts": 2}) == {"luts": 2}
