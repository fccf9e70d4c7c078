"""The arbiters that MCOS is compared with: every grant against a model of who had to be next.

Run by ``test_controller`` with each of them.
"""

import cocotb

from mcos_hw.registers import ArbiterKind
from mcos_sim.cosim.harness import stimulus_layout
from mcos_sim.cosim.run_tests import parameters
from tests.sim.cosim.recipes import contract, image, make_bench, sizes, stream
from tests.sim.cosim.verdicts import bytes_granted, grants, require_served

PRIORITIES = (0, 0, 1, 1, 1, 2, 8, 15)
"""Of the tenants that take part, by tag."""


class FirstOffered:
    """FCFS: the head that was first offered first, ties to the lowest tag."""

    def choose(self, heads: dict[int, int]) -> int:
        """The tag to grant, given when each head was first offered."""
        return min(heads, key=lambda tag: (heads[tag], tag))


class InTurn:
    """Round robin: the lowest tag over the one granted last, else the lowest."""

    def __init__(self) -> None:
        self._last = 0

    def choose(self, heads: dict[int, int]) -> int:
        """The tag to grant."""
        self._last = min(heads, key=lambda tag: (tag <= self._last, tag))
        return self._last


class ByPriority:
    """Fixed priority, and in turn among equals."""

    def __init__(self) -> None:
        self._turn = InTurn()

    def choose(self, heads: dict[int, int]) -> int:
        """The tag to grant."""
        best = min(PRIORITIES[tag] for tag in heads)
        return self._turn.choose({tag: heads[tag] for tag in heads if PRIORITIES[tag] == best})


MODELS = {
    ArbiterKind.FCFS: FirstOffered,
    ArbiterKind.ROUND_ROBIN: InTurn,
    ArbiterKind.FIXED_PRIORITY: ByPriority,
}


@cocotb.test()
async def every_grant_is_the_one_that_had_to_be(dut):
    config = sizes()
    arbiter = ArbiterKind[parameters()["arbiter"]]
    tags = range(len(PRIORITIES))
    settings = contract(
        config,
        dict.fromkeys(tags, 1),
        # What no bucket covers would wait under a contract; these arbiters know none.
        tenants={
            tag: {
                "priority": PRIORITIES[tag],
                "work_conserving": 0,
                "committed_depth": config.l_max,
                "peak_rate": 1 << config.rate_fraction,
                "peak_depth": config.l_max,
                "age_limit": 10,
            }
            for tag in tags
        },
    )
    bench = make_bench(
        dut,
        # Windows over and under the depth of the queues, bursts that overlap and leave gaps.
        *(stream(tag, requests=500, window=8, steps=10, every=1_500) for tag in tags[:2]),
        *(stream(tag, requests=700, window=40, steps=7, every=1_800) for tag in tags[2:5]),
        *(
            stream(tag, requests=900, window=24, closed=True, steps=9, compute=90)
            for tag in tags[5:]
        ),
        seed=300,
    )
    await bench.reset()
    kind = await bench.registers.read("ARBITER")
    assert kind == arbiter
    await bench.load(image(config, settings).words)

    stimulus = stimulus_layout(config)
    valid = 1 << stimulus["request_valid"].offset
    tenant_offset = stimulus["request"].offset + stimulus["request"].shape["tenant"].offset
    tenant_mask = config.tenants - 1
    taken: dict[int, list[int]] = {tag: [] for tag in tags}

    def watch(clock: int, observed: int, driven: int) -> None:
        if driven & valid:
            taken[driven >> tenant_offset & tenant_mask].append(clock)

    start = bench.clock
    await bench.run(100_000, on_clock=watch)
    assert bench.done
    require_served(bench)

    model = MODELS[arbiter]()
    granted = bench.granted
    offered = {tenant.tag: tenant.offered.tolist() for tenant in bench.tenants}
    position = dict.fromkeys(tags, 0)
    contended = 0
    for clock, tag, _ in grants(bench):
        # A request is a head from the clock after it entered, and after the one before it left.
        heads = {
            each: offered[each][place]
            for each, place in position.items()
            if place < len(taken[each])
            and taken[each][place] + config.intake_clocks < clock
            and (place == 0 or granted[each][place - 1] < clock)
        }
        expected = model.choose(heads)
        assert tag == expected, f"clock {clock}: {expected} before {tag} of heads {heads}"
        contended += len(heads) > 2
        position[tag] += 1
    assert contended > 3_000
    if not parameters()["paused"]:
        end = min(clocks[-1] for clocks in granted.values())
        total = sum(bytes_granted(bench, start + 20, end).values())
        assert total >= 0.99 * config.bytes_per_clock * (end - start - 20)
