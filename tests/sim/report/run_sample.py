"""What ``mcos run`` found, built by hand for pages."""

from typing import Any

from mcos_hw.config import ChannelConfig

NAMES = ("chat", "search", "batch", "docs")


def tenant(name: str, **changed: Any) -> dict[str, Any]:
    """A tenant that keeps 2 us, of a channel of 800 MHz: 1.2 us at most, 1.4 us are promised.

    Parameters
    ----------
    name : str
        Its name.
    changed : Any
        Members that are otherwise.
    """
    found = {
        "name": name,
        "tag": 0,
        "window": 16,
        "requests": 12_345,
        "grants": 12_345,
        "bytes_requested": 1_580_160,
        "bytes_granted": 1_580_160,
        "share": 0.235,
        "steps": 0,
        "p50_clocks": None,
        "p99_clocks": None,
        "traffic": "closed loop: 16 outstanding, 1 us of thinking",
        "best_effort": False,
        "guaranteed_gbps": 120.0,
        "burst_gbps": 240.0,
        "asked_gbps": 96.2,
        "granted_gbps": 96.2,
        "latency_clocks": {"p50": 200, "p90": 300, "p99": 640, "p999": 900, "max": 960},
        "own_queue_clocks": {"p50": 0, "p99": 160, "max": 200},
        "promised_clocks": {"p99": 560, "max": 880},
        "slo_clocks": 1_600.0,
        "bound_clocks": 1_120.0,
        "verdict": "holds",
        "violations": 0,
        "violations_own_queue": 0,
        "breaches": 0,
        "worst": {
            "request": 4_711,
            "offered": 50_000,
            "granted": 50_840,
            "completed": 50_960,
            "latency_clocks": 960,
            "own_queue_clocks": 80,
        },
        "latency_histogram": {
            "edges_clocks": [0, 128, 256, 512, 608, 724, 861, 1024],
            "counts": [0, 9_000, 2_500, 600, 200, 41, 4],
        },
    }
    return found | changed


def late(name: str = "search", **changed: Any) -> dict[str, Any]:
    """A tenant that is late 17 times: 4.2 of 5.1 us are in its own queue."""
    return tenant(
        name,
        **{
            "requests": 20_000,
            "guaranteed_gbps": 100.0,
            "asked_gbps": 180.0,
            "granted_gbps": 131.0,
            "share": 0.32,
            "latency_clocks": {"p50": 400, "p90": 900, "p99": 1_500, "p999": 2_400, "max": 4_080},
            "own_queue_clocks": {"p50": 100, "p99": 1_000, "max": 3_360},
            "promised_clocks": {"p99": 600, "max": 900},
            "violations": 17,
            "violations_own_queue": 17,
            "worst": {
                "request": 19_003,
                "offered": 71_000,
                "granted": 74_960,
                "completed": 75_080,
                "latency_clocks": 4_080,
                "own_queue_clocks": 3_360,
            },
            "latency_histogram": {
                "edges_clocks": [256, 512, 1024, 1722, 2048, 4096],
                "counts": [9_000, 9_000, 1_983, 15, 2],
            },
            **changed,
        },
    )


def idle(name: str = "docs", **changed: Any) -> dict[str, Any]:
    """A tenant that asks for nothing."""
    nothing = dict.fromkeys(
        ("latency_clocks", "own_queue_clocks", "promised_clocks", "worst", "latency_histogram")
    )
    counted = dict.fromkeys(
        ("requests", "grants", "bytes_requested", "bytes_granted", "share", "asked_gbps"), 0
    )
    return tenant(name, **nothing, **counted, **{"granted_gbps": 0.0, "traffic": "none", **changed})


def best_effort(name: str = "batch", **changed: Any) -> dict[str, Any]:
    """A tenant that is promised nothing and asks for all there is."""
    return tenant(
        name,
        **{
            "best_effort": True,
            "guaranteed_gbps": 0.0,
            "burst_gbps": 409.6,
            "asked_gbps": 400.0,
            "granted_gbps": 60.0,
            "share": 0.15,
            "slo_clocks": None,
            "bound_clocks": None,
            "verdict": None,
            "promised_clocks": None,
            "traffic": "backlogged, 512 B requests",
            "latency_clocks": {"p50": 9e3, "p90": 2e4, "p99": 4e4, "p999": 5e4, "max": 60_000},
            "worst": {
                "request": 100,
                "offered": 20_000,
                "granted": 79_880,
                "completed": 80_000,
                "latency_clocks": 60_000,
                "own_queue_clocks": 59_000,
            },
            "latency_histogram": {"edges_clocks": [8192, 32768, 65536], "counts": [5_000, 800]},
            **changed,
        },
    )


def found(*tenants: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """What a run found.

    Parameters
    ----------
    tenants : dict[str, Any]
        Its tenants; by default one in time, one late, one of best effort and one idle.
    changed : Any
        Members of the whole that are otherwise.
    """
    rows = list(tenants) or [tenant("chat"), late(), best_effort(), idle()]
    whole = {
        "arbiter": "mcos",
        "engine": "verilated",
        "config_hash": ChannelConfig().hash,
        "contract": {"name": "mine.toml", "sha256": "0" * 64},
        "memory": {"name": "simple", "latency_clocks": 116},
        "memory_latency_clocks": 116,
        "port_credit_bytes": 9_216,
        "seed": 1,
        "workload": {"workload": "loaded"},
        "traffic": "default",
        "channels": 8,
        "channels_run": 1,
        "channel_utilisation": [0.97],
        "clock_khz": 800_000,
        "clocks": 100_000,
        "clocks_per_second": 123_456.0,
        "grants": sum(row["grants"] for row in rows),
        "bytes": sum(row["bytes_granted"] for row in rows),
        "utilisation": 0.97,
        "tenants": rows,
    }
    return whole | changed
