"""Simulators are built side by side, and no more of them once one has failed."""

import threading
from types import SimpleNamespace

import pytest

from mcos_sim import rtl


def test_a_build_that_fails_is_the_last_one_to_begin(monkeypatch):
    begun, go_on = [], threading.Event()

    def build(config, _arbiter):
        begun.append(config)
        if config == 0:
            raise ValueError("no")
        go_on.wait(10)

    monkeypatch.setattr(rtl.compiled, "channel_library", build)
    wanted = [SimpleNamespace(window=None, arbiter=None, config=each) for each in range(8)]
    threading.Timer(0.5, go_on.set).start()
    with pytest.raises(ValueError, match="no"):
        rtl.build_simulators(wanted, on_built=lambda part: None)
    # Both threads may have taken another one before the failure was seen.
    assert len(begun) <= 4
