"""Simulators are built side by side, and no more of them once one has failed."""

import threading
from types import SimpleNamespace

import pytest

from mcos_sim.engines import dispatch
from mcos_sim.engines.dispatch import Engine, build_simulators


def test_a_build_that_fails_is_the_last_one_to_begin(monkeypatch):
    begun, go_on = [], threading.Event()

    def build(_engine, config, _arbiter, _ports, _channels):
        begun.append(config)
        if config == 0:
            raise ValueError("no")
        go_on.wait(10)

    monkeypatch.setattr(dispatch, "build", build)
    wanted = [
        (
            Engine.VERILATED,
            SimpleNamespace(arbiter=None, config=each, axi_ports=(), channels=(None,)),
        )
        for each in range(8)
    ]
    threading.Timer(0.5, go_on.set).start()
    with pytest.raises(ValueError, match="no"):
        build_simulators(wanted, on_built=lambda part: None)
    # Both threads may have taken another one before the failure was seen.
    assert len(begun) <= 4
