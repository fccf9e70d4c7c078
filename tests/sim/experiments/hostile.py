"""Random contracts, tenants that keep to them, and tenants beside them that do not."""

import dataclasses
from pathlib import Path

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.objectives import judge
from mcos_policy.quantize import per_clock
from mcos_sim.engines.model import run_scenario
from mcos_sim.fairness.own_queue import own_queue
from mcos_sim.scenario import FIRST_CLOCK, Channel, RunResult, Scenario, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

CONFIG = ChannelConfig()
LATENCY = 135
"""Of the memory: with the command's clock and eight of a longest request, 180 ns of a contract."""


def contract_of(folder: Path, tenants: list[dict], fabric: str = "") -> Compiled:
    """Compile a contract of one channel with these keys of [tenant.bandwidth]."""
    text = f"[fabric]\nchannels = 1\n{fabric}\n"
    for tag, keys in enumerate(tenants):
        text += f'[[tenant]]\nname = "tenant-{tag}"\ntag = {tag}\n[tenant.bandwidth]\n'
        text += "".join(f"{key} = {value}\n" for key, value in keys.items())
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    return compile_contract(path, CONFIG)


def guarantee(compiled: Compiled, tag: int) -> float:
    """Bytes per clock that the tenant of a tag is guaranteed."""
    promise = compiled.contract.tenants[tag].bandwidth
    return float(per_clock(promise.guaranteed, 1, CONFIG))


def asked_at(tag: int, clocks: np.ndarray, beats: np.ndarray, counts: np.ndarray) -> Stream:
    """``counts`` requests at each of these clocks, whatever was answered."""
    steps = np.zeros(len(clocks), dtype=STEP)
    steps["count"] = counts
    steps["first"] = np.cumsum(counts) - counts
    steps["ready"] = FIRST_CLOCK + clocks
    requests = np.zeros(int(np.sum(counts)), dtype=REQUEST)
    requests["beats"] = np.resize(beats, len(requests))
    return Stream(
        name=f"tenant-{tag}", tag=tag, window=4000, closed=False, requests=requests, steps=steps
    )


def conforming(
    rng: np.random.Generator, tag: int, rate: float, beats: np.ndarray, clocks: int
) -> Stream:
    """One request at a time, each when the rate has brought the one before it, or later."""
    gaps = beats * CONFIG.beat_bytes / rate
    gaps *= 1 + rng.choice([0, 0.1, 1.0]) * rng.exponential(1, len(gaps))
    at = np.ceil(rng.integers(0, 3000) + np.cumsum(gaps) - gaps[0]).astype(np.int64)
    at = at[at < clocks]
    return asked_at(tag, at, beats, np.ones(len(at), dtype=np.int64))


def hostile(rng: np.random.Generator, tag: int, clocks: int) -> Stream:
    """Backlogged, in pulses, a closed loop, or all of them at the same clocks."""
    count = clocks // 8
    beats = rng.integers(int(rng.choice([4, 16])), 17, count)
    kind = rng.choice(["flood", "pulse", "single", "loop"])
    if kind == "pulse":
        period, burst = int(rng.choice([1000, 3000, 20_000])), int(rng.choice([16, 100, 300]))
        at = period * np.arange(clocks // period)
        return asked_at(tag, at, beats, np.full(len(at), burst))
    if kind == "flood":
        flood = asked_at(tag, np.zeros(1, dtype=np.int64), beats, np.array([count]))
        return dataclasses.replace(flood, window=int(rng.choice([16, 64, 256])))
    steps = np.zeros(count, dtype=STEP)
    steps["first"], steps["count"], steps["ready"][0] = np.arange(count), 1, FIRST_CLOCK
    steps["compute"] = rng.choice([0, 10, 300], count) if kind == "loop" else 0
    requests = np.zeros(count, dtype=REQUEST)
    requests["beats"] = beats
    return Stream(
        name=f"tenant-{tag}", tag=tag, window=1, closed=True, requests=requests, steps=steps
    )


def random_run(folder: Path, seed: int, clocks: int) -> tuple[Compiled, RunResult]:
    """Some tenants within their contracts beside hostile ones, on the model."""
    rng = np.random.default_rng(seed)
    count = int(rng.choice([2, 3, 4, 8, 16]))
    parts = np.exp(rng.uniform(0, np.log(rng.choice([2, 20, 200])), count))
    shares = parts / parts.sum() * 0.85 * rng.choice([0.3, 0.7, 0.99])
    tenants = []
    for share in shares:
        guaranteed = f'"{51.2 * share:.4f} GB/s"'
        keys = {
            "guaranteed": guaranteed,
            "burst": str(rng.choice([guaranteed, '"51.2 GB/s"'])),
            "burst_duration": str(rng.choice(['"10 ns"', '"1 us"', '"20 us"'])),
            "work_conserving": str(rng.choice(["true", "false"])),
        }
        if rng.random() < 0.2:
            keys["age_limit"] = '"0 ns"'
        tenants.append(keys)
    fabric = f'depth1 = "{rng.choice(["0 ns", "20 ns"])}"\n'
    fabric += f"promotion_interval = {rng.choice([4, 16, 64])}"
    compiled = contract_of(folder, tenants, fabric)
    kept = set(rng.permutation(count)[: rng.integers(1, max(2, count // 2))].tolist())
    streams = []
    for tag in range(count):
        if tag in kept:
            rate = guarantee(compiled, tag)
            most = int(clocks * rate / 64) + 2
            fixed = rng.random() < 0.6
            beats = rng.choice([2, 4, 16]) if fixed else rng.integers(2, 17, most)
            streams.append(conforming(rng, tag, rate, np.resize(beats, most), clocks))
        else:
            streams.append(hostile(rng, tag, clocks))
    return compiled, run_on_model(compiled, streams, clocks)


def run_on_model(compiled: Compiled, streams: list[Stream], clocks: int) -> RunResult:
    """Streams on the model, with a memory that takes all of the contract's latency."""
    return run_scenario(
        Scenario(
            name="hostile",
            arbiter=ArbiterKind.MCOS,
            config=CONFIG,
            image=compiled.image.words,
            ports=one_port(streams),
            clocks=FIRST_CLOCK + clocks,
            channels=(Channel(latency=LATENCY, credit=compiled.settings.channel.port_credit),),
            seed=0,
        )
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """What a tenant of a run saw of its bound, in clocks: the worst request of each part.

    Parameters
    ----------
    tag : int
        Tenant.
    promised, bound : float
        Latency less own queue, and the bound.
    ingress, queue, memory : float
        From offer to queue, from there to the grant less own queue, from there to the response.
    terms : dict[str, float]
        What the bound is made of.
    """

    tag: int
    promised: float
    bound: float
    ingress: float
    queue: float
    memory: float
    terms: dict[str, float]

    @property
    def queue_bound(self) -> float:
        """What the bound leaves for the wait in the queue."""
        return self.bound - self.terms["ingress"] - self.terms["memory"]


def parts(compiled: Compiled, result: RunResult) -> list[Part]:
    """What each tenant of a run saw of its bound."""
    objectives = judge(compiled.contract, CONFIG)
    found = []
    for tenant in result.tenants:
        own = own_queue(tenant, guarantee(compiled, tenant.tag))
        answered = tenant.completed >= 0
        granted, taken = len(tenant.granted), len(tenant.taken)
        begins = np.maximum(tenant.taken[:granted] + 3, (tenant.offered + own)[:granted])
        inside = answered[:granted]
        bound = objectives[tenant.tag].bound
        assert bound is not None
        found.append(
            Part(
                tag=tenant.tag,
                promised=float(np.max((tenant.completed - tenant.offered - own)[answered])),
                bound=float(bound),
                ingress=float(np.max(tenant.taken - (tenant.offered + own)[:taken])) + 3,
                queue=float(np.max(tenant.granted - begins)),
                memory=float(np.max((tenant.completed[:granted] - tenant.granted)[inside])),
                terms={name: float(term) for name, term in objectives[tenant.tag].terms.items()},
            )
        )
    return found
