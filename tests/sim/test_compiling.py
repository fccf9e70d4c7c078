"""Machine code of compiled Python: found again, and compiled again where its file is damaged."""

import os
import resource
import subprocess
import sys

import pytest

PROGRAM = """\
from mcos_sim.compiling import compiled

@compiled
def twice(number):
    return 2 * number

assert twice(21) == 42
print(sum(twice.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compiling")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    environment = os.environ | {
        "XDG_CACHE_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }

    def hits():
        ended = subprocess.run(
            [sys.executable, program],
            cwd=folder,
            env=environment,
            text=True,
            capture_output=True,
            check=True,
        )
        return int(ended.stdout)

    assert hits() == 0
    return folder, hits


def test_a_second_process_finds_it(run):
    _, hits = run
    assert hits() == 1


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", ["empty", "half", "flipped"])
def test_damage_is_compiled_again(run, suffix, damage):
    folder, hits = run
    (path,) = folder.rglob(f"*.{suffix}")
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    path.write_bytes({"empty": b"", "half": whole[:middle], "flipped": flipped}[damage])
    assert hits() == 0
    assert hits() == 1


def test_a_full_disk_costs_no_more_than_compiling(run):
    folder, hits = run
    for path in [*folder.rglob("*.nbi"), *folder.rglob("*.nbc")]:
        path.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert hits() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert hits() == 0, "nothing was kept, and nothing was in the way"


def test_settings_of_the_working_directory_count_nothing(run):
    """They would switch compilation off; a stranger's checkout may have them."""
    folder, hits = run
    settings = folder / ".numba_config.yaml"
    settings.write_text("disable_jit: 1\n")
    hits()
    assert hits() == 1
    settings.unlink()


def test_machine_code_of_the_package_is_found_wherever_the_package_is():
    from mcos_sim.compiling import CACHE
    from mcos_sim.fairness import fluid

    kept = [each._cache for each in vars(fluid).values() if hasattr(each, "py_func")]
    assert kept
    for cache in kept:
        assert cache.cache_path == str(CACHE / cache._py_func.__module__)
        assert "mcos_sim." in cache._py_func.__module__
