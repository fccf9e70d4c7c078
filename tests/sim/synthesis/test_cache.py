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
