"""Bugs of what the monitor tells: monitor, counters, and what the channel says to them."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["MONITOR"]

CHANNEL = "mcos_hw.channel"

MONITOR = (
    Mutant(
        name="the last clock of an epoch is not counted",
        bug=Bug(
            module=f"{CHANNEL}.counters",
            text="ended.eq(total)",
            instead="ended.eq(running)",
        ),
        promise="The clock with which an epoch ends belongs to it.",
        unit=("channel/test_counters.py", "channel/test_monitor.py"),
        proofs=("counters.",),
    ),
    Mutant(
        name="an overflow is forgotten with the next count",
        bug=Bug(
            module="mcos_hw.primitive.count",
            text="count[COUNT_WIDTH] | total[COUNT_WIDTH:].any()",
            instead="total[COUNT_WIDTH:].any()",
        ),
        promise="Bit 31 of a counter stays set for the epoch.",
        unit=("channel/test_counters.py",),
        proofs=("counters.",),
    ),
    Mutant(
        name="a count three clocks before is not yet known",
        bug=Bug(
            module=f"{CHANNEL}.counters",
            text="same(3)",
            instead="Const(0, 1)",
        ),
        promise="Every event is counted.",
        unit=("channel/test_counters.py", "channel/test_monitor.py"),
        proofs=("counters.",),
    ),
    Mutant(
        name="lateness goes by the objective of the next one answered",
        bug=Bug(
            module=f"{CHANNEL}.observer",
            text="self.contract.tenant.eq(answered_tenant)",
            instead="self.contract.tenant.eq(entry.tenant)",
        ),
        promise="A violation is of the tenant's own objective.",
        unit=("channel/test_monitor.py",),
    ),
    Mutant(
        name="latencies of 65,536 clocks and more count as short",
        bug=Bug(
            module=f"{CHANNEL}.observer",
            text="for position in range(1, config.stamp_width):",
            instead="for position in range(1, LATENCY_BINS):",
        ),
        promise="The last bin has all latencies from 32,768 clocks on.",
        unit=("channel/test_monitor.py",),
    ),
    Mutant(
        name="a peak in the last clock of an epoch is lost",
        bug=Bug(
            module=f"{CHANNEL}.monitor",
            text="latched_peak.eq(peak)",
            instead="latched_peak.eq(running_peak)",
        ),
        promise="The clock with which an epoch ends belongs to it.",
        unit=("channel/test_monitor.py",),
    ),
    Mutant(
        name="a peak begins with the queue of the epoch before",
        bug=Bug(
            module=f"{CHANNEL}.monitor",
            text="running_peak.eq(0)",
            instead="running_peak.eq(count)",
        ),
        promise="A peak is the largest of its epoch.",
        unit=("channel/test_monitor.py",),
    ),
    Mutant(
        name="an epoch that is longer than its new length goes on",
        bug=Bug(
            module="mcos_hw.control.epoch",
            text="elapsed + 2 >= self.length",
            instead="elapsed + 2 == self.length",
        ),
        promise="An epoch ends at once when a commit makes it shorter than it is.",
        unit=("channel/test_monitor.py",),
        proofs=("epoch.",),
    ),
    Mutant(
        name="epochs of one clock take two",
        bug=Bug(
            module="mcos_hw.control.epoch",
            text="self.length == 1",
            instead="Const(0, 1)",
        ),
        promise="An epoch has epoch_clocks clocks, from 1 on.",
        unit=("channel/test_monitor.py",),
        proofs=("epoch.",),
    ),
    Mutant(
        name="a grant is counted in the class of the next one",
        bug=Bug(
            module=f"{CHANNEL}.observer",
            text="(was_class)",
            instead="(granted_class)",
        ),
        promise="GRANT_REQUESTS and GRANT_BYTES count by the class of the grant.",
        unit=("channel/test_channel.py::test_the_monitor_counts_grants_and_responses",),
    ),
    Mutant(
        name="a colour fault counts for the tenant that came before",
        bug=Bug(
            module=f"{CHANNEL}.observer",
            text="Mux(approach.outside, approach.tenants, 0)",
            instead="Mux(approach.outside, self.arrival.entry.tenants, 0)",
        ),
        promise="COLOUR_FAULTS counts each tenant's own requests.",
        unit=(
            "channel/test_channel.py::test_a_request_outside_its_colours_counts_and_waits_where_they_are_refused",
            "channel/test_channel.py::test_every_request_of_a_burst_is_judged_by_its_own_colour",
        ),
    ),
)
