"""A sweep that is killed, loses a worker or runs elsewhere gives what an undisturbed one gives."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mcos_policy.samples import SAMPLES

POINTS = 60

_PLANTED = ("multiprocessing.py", "numba.py", "pickle.py", "sitecustomize.py")
"""Modules in the folder of a sweep, which must not be taken for those that it imports."""

pytestmark = pytest.mark.slow


def _sweep(folder: Path, *more: str) -> subprocess.Popen:
    # Beside it, as it is installed: a module's command would take modules from the folder it is in.
    command = [str(Path(sys.executable).with_name("mcos")), "sweep"]
    command += [str(SAMPLES["decode-prefill"]), "--arbiter", "fcfs"]
    command += ["--arbiter", "mcos", "--seed", f"1:{POINTS // 4}", "--prefill-window", "64"]
    command += ["--prefill-window", "256", "--clocks", "60000", "--workers", "2"]
    command += ["-o", str(folder), "--json", str(folder / "summary.json"), *more]
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PLANTED:
        (folder / name).write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    return subprocess.Popen(
        command,
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a script inherits that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _finished(process: subprocess.Popen) -> None:
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told


def _wait_for_points(folder: Path, count: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while len(list((folder / "points").glob("*.json"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def _table(folder: Path) -> bytes:
    return (folder / "table.csv").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    _finished(_sweep(folder))
    found = json.loads((folder / "summary.json").read_text())
    assert (found["points"], found["resumed"], found["failed"]) == (POINTS, 0, [])
    assert found["rows"] == 4 * POINTS
    assert not (folder / "ran").exists(), "code from the folder of the sweep was run"
    return _table(folder)


def test_killed_half_way_and_resumed(undisturbed, tmp_path):
    process = _sweep(tmp_path)
    _wait_for_points(tmp_path, POINTS // 2, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = len(list((tmp_path / "points").glob("*.json")))
    assert POINTS // 2 <= kept < POINTS
    assert not (tmp_path / "table.csv").exists()
    _finished(_sweep(tmp_path))
    assert json.loads((tmp_path / "summary.json").read_text())["resumed"] == kept
    assert _table(tmp_path) == undisturbed


def test_stopped_by_hand_and_resumed(undisturbed, tmp_path):
    """Ctrl-C reaches every process of the group; only the command speaks."""
    process = _sweep(tmp_path)
    _wait_for_points(tmp_path, 3, process)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert f"of {POINTS} points are kept" in told
    _finished(_sweep(tmp_path))
    assert _table(tmp_path) == undisturbed


def _doors(process: psutil.Process) -> list:
    """Sockets of a process and its children that others on this machine or elsewhere can find."""
    found = [
        each
        for one in (process, *process.children(recursive=True))
        for each in one.net_connections(kind="all")
    ]
    assert found, "the sockets between a sweep and its workers must be seen, or nothing is checked"
    return [each for each in found if each.laddr]


def test_one_worker_killed(undisturbed, tmp_path):
    """Meanwhile no other user has a way to the workers."""
    process = _sweep(tmp_path)
    _wait_for_points(tmp_path, 3, process)
    workers = [
        each
        for each in psutil.Process(process.pid).children(recursive=True)
        if any("spawn_main" in word for word in each.cmdline())
    ]
    assert len(workers) == 2
    assert _doors(psutil.Process(process.pid)) == []
    workers[0].kill()
    _finished(process)
    assert _table(tmp_path) == undisturbed


def test_scheduler_and_workers_of_their_own(undisturbed, tmp_path):
    """As on a cluster; nothing but the address is known of them."""
    told = tmp_path / "scheduler.json"
    python = [sys.executable, "-m"]
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    scheduler = [*python, "distributed.cli.dask_scheduler", *common, "--host", "127.0.0.1"]
    scheduler += ["--port", "0"]
    worker = [*python, "distributed.cli.dask_worker", *common, "--nworkers", "2"]
    worker += ["--nthreads", "1", "--local-directory", str(tmp_path / "scratch")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    with contextlib.ExitStack() as stack:
        for command in (scheduler, worker):
            process = subprocess.Popen(command, start_new_session=True, **quiet)
            stack.callback(process.wait)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
        end = time.monotonic() + 60
        while not told.exists() or not told.read_text().strip():
            assert time.monotonic() < end
            time.sleep(0.05)
        address = json.loads(told.read_text())["address"]
        _finished(_sweep(tmp_path / "sweep", "--scheduler", address))
    assert _table(tmp_path / "sweep") == undisturbed
