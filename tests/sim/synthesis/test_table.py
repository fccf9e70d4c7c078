"""The result of a measurement as tables for a terminal."""

import pytest

from mcos_sim.console import output
from mcos_sim.synthesis.table import render

PATH = "arbiter.choice.finish -> tags.virtual_time"


def row(name: str, *, tenants: int) -> dict:
    """What one measurement found."""
    return {
        "name": name,
        "tenants": tenants,
        "lateness": 3,
        "fmax_mhz": 60.51,
        "luts": 12345,
        "ffs": 2345,
        "brams": None,
        "dsps": 1,
        "area_um2": None,
        "critical_path": PATH,
        "paths": [{"ps": 1234.0, "cells": 10, "path": PATH}],
    }


RESULT = {
    "targets": [row("ecp5", tenants=4), row("ultrascale+", tenants=16)],
    "state": [
        {
            "tenants": 16,
            "lateness": 3,
            "bits": {"buckets": 1024, "queues": 30000},
            "bits_per_tenant": {"buckets": 64.0},
        }
    ],
}


@pytest.mark.parametrize("width", [40, 100])
@pytest.mark.parametrize("paths", [1, 2])
def test_every_figure_is_shown(width, paths):
    with output.capture() as captured:
        output.print(render(RESULT, paths=paths), width=width)
    shown = captured.get()
    words = ["ecp5", "ultrascale+", "60.5", "12,345", "2,345", "3,086", "772", "1,024", "30,000"]
    for word in [*words, *PATH.split()] + ["1,234"] * (paths > 1):
        assert word in shown.split(), word
    assert "None" not in shown
    assert "128 bytes, 8.0 a tenant" in " ".join(shown.split())
