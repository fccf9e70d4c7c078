"""A result of a comparison with every member, small enough to check by hand."""

import dataclasses
from typing import Any

from mcos_hw.config import ChannelConfig

SLOWDOWN = {"alone": 1, "fcfs": 5, "round_robin": 2, "fixed_priority": 1.5, "mcos": 1.01}
DECODERS = {"decode-a": 20_000, "decode-b": 30_000, "decode-c": 48_000}


def result(*, sweeps: bool = False, prefill: str = "prefill") -> dict[str, Any]:
    """A result in which all marks pass.

    Parameters
    ----------
    sweeps : bool
        Whether it has sweeps.
    prefill : str
        Name of the prefill tenant.
    """
    config = ChannelConfig()
    found = {
        "config_hash": config.hash,
        "config": dataclasses.asdict(config),
        "seed": 7,
        "settings": {
            "workload": {"name": "essay", "windows": [1200, 16]},
            "memory": {"name": "simple", "latency_clocks": 220},
        },
        "scenarios": {name: _scenario(prefill) for name in ("loaded", "saturated")},
        "backlogged": {
            "grants": 123_456,
            "max_share_error_mcos": 0.0042,
            "max_share_error_fcfs": 0.917,
        },
    }
    if sweeps:
        keys = {"window": ("prefill_window", (64, 1200)), "credit": ("credit_factor", (1, 8))}
        found["sweeps"] = {
            name: [
                {
                    "scenario": scenario,
                    key: value,
                    "fcfs_over_alone": 4.321,
                    "mcos_over_alone": 1.234,
                    "prefill_of_target": 0.987,
                }
                for scenario in found["scenarios"]
                for value in values
            ]
            for name, (key, values) in keys.items()
        }
    return found


def _scenario(prefill: str) -> dict[str, Any]:
    runs: dict[str, Any] = {run: _run(run, prefill) for run in SLOWDOWN}
    runs["ratios"] = {
        "fcfs_over_alone": 5.0,
        "mcos_over_alone": 1.01,
        "fcfs_over_alone_in_burst": 5.5,
        "mcos_over_alone_in_burst": 1.02,
        "mcos_p50_over_alone_in_burst": 1.03,
        "prefill_of_target": 0.991,
    }
    runs["mcos_utilisation_over_fcfs"] = 0.996
    runs["honesty"] = {
        "alone_utilisation": 0.72,
        "guarantee_over_alone_demand": 1.04,
        "fewest_decoder_steps": 420,
        "prefill_active": 0.55,
    }
    return runs


def _run(run: str, prefill: str) -> dict[str, Any]:
    tenants = [
        {
            "name": name,
            "steps": 345,
            "p50_clocks": int(clocks * SLOWDOWN[run] * 0.9),
            "p99_clocks": int(clocks * SLOWDOWN[run]),
            "bytes": 1_000_000,
            "share": 0.231,
            "target_share": 0.234,
        }
        for name, clocks in DECODERS.items()
    ]
    if run != "alone":
        idle = {"steps": 0, "p50_clocks": None, "p99_clocks": None, "bytes": 2_000_000}
        tenants.insert(0, {"name": prefill, **idle, "share": 0.287, "target_share": 0.298})
    return {"tenants": tenants, "utilisation": 0.713 if run == "alone" else 0.978}
