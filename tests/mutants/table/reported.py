"""The bugs that were planted from outside, of which five were seen by nothing."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["REPORTED"]

CHANNEL = "mcos_hw.channel"
LOADER = "mcos_hw.control.loader"
CHECKER = "mcos_hw.control.checker"

REPORTED = (
    Mutant(
        name="the epoch counter has 16 bits",
        bug=Bug(
            module="mcos_hw.control.epoch",
            text="elapsed = Signal(33)",
            instead="elapsed = Signal(16)",
        ),
        promise="An epoch has epoch_clocks clocks, up to 2^32 - 1.",
        unit=("channel/test_monitor.py",),
        proofs=("epoch.",),
    ),
    Mutant(
        name="lateness is judged by 18 bits",
        bug=Bug(
            module=f"{CHANNEL}.observer",
            text="(latency > objective)",
            instead="(latency[:18] > objective[:18])",
        ),
        promise="A request served later than its objective is a violation.",
        unit=("channel/test_monitor.py",),
    ),
    Mutant(
        name="a disabled tenant drains 16 times as late",
        bug=Bug(
            module="mcos_hw.link.live",
            text="DRAIN_AGE = 1024",
            instead="DRAIN_AGE = 16_384",
        ),
        promise="A head of a disabled tenant goes first at an age of 1,024 clocks.",
        unit=(
            "channel/test_channel.py::test_the_queue_of_a_disabled_tenant_drains_beside_one_that_takes_everything",
        ),
    ),
    Mutant(
        name="four commands can wait for memory",
        bug=Bug(module=f"{CHANNEL}.outlet", text="OUTLET_DEPTH = 3", instead="OUTLET_DEPTH = 4"),
        promise="At most three granted commands wait for memory.",
        unit=("channel/test_outlet.py",),
        proofs=("outlet.",),
    ),
    Mutant(
        name="counts have 30 bits",
        bug=Bug(
            module="mcos_hw.primitive.count", text="COUNT_WIDTH = 31", instead="COUNT_WIDTH = 30"
        ),
        promise="A count has 31 bits, and bit 31 of its register says that it saturated.",
        unit=("channel/test_counters.py", "channel/test_monitor.py"),
        proofs=("counters.",),
    ),
    Mutant(
        name="a price loses a fraction bit too many",
        bug=Bug(
            module="mcos_hw.link.arrival",
            text="return max(0, _fraction_left(config))",
            instead="return max(0, _fraction_left(config)) + 1",
        ),
        promise="F - S of a head is its size over its weight.",
        unit=("channel/test_intake.py",),
    ),
    Mutant(
        name="a price is widened by a bit too many",
        bug=Bug(
            module="mcos_hw.link.arrival",
            text="return max(0, -_fraction_left(config))",
            instead="return max(0, -_fraction_left(config)) + 1",
        ),
        promise="F - S of a head is its size over its weight.",
        unit=("channel/test_intake.py",),
    ),
    Mutant(
        name="a legal tenant with colour 15 alone is refused",
        bug=Bug(
            module=CHECKER,
            text="value < field.least",
            instead='(value[:15] if field.name == "colours" else value) < field.least',
        ),
        promise="A tenant may have any one colour.",
        unit=("control/test_loader.py", "control/test_given_images.py"),
        proofs=("loader.",),
    ),
    Mutant(
        name="a bit of the checksum is not compared",
        bug=Bug(
            module=LOADER,
            text="self.word != checksum.crc",
            instead="((self.word ^ checksum.crc) & ~(1 << 21)).any()",
        ),
        promise="An image whose last word is not its checksum is refused.",
        unit=("control/test_loader.py", "control/test_given_images.py"),
        proofs=("loader.",),
    ),
    Mutant(
        name="a charge is lost in the first clock of a new rate",
        bug=Bug(
            module=f"{CHANNEL}.bucket",
            text="(conforming[i])",
            instead=(
                "(conforming[i] & (contract.committed_rate == _before(m, contract.committed_rate)))"
            ),
        ),
        promise="A conforming grant charges both buckets, whatever is committed.",
        unit=("channel/test_channel.py::test_a_grant_is_charged_whatever_goes_live_in_its_clock",),
    ),
    Mutant(
        name="the last tenant's fields are not checked",
        bug=Bug(
            module=CHECKER,
            text="(outside | unrelated)",
            instead="((outside | unrelated) & (self.place.element != max(1, self.count - 1)))",
        ),
        promise="Every relation between fields is checked of every tenant.",
        unit=("control/test_loader.py", "control/test_given_images.py"),
        proofs=("loader.",),
    ),
    Mutant(
        name="the last F survives a reset",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.tags",
            text='end = [Signal(config.tag_width, name=f"end_{i}") for i in tenants]',
            instead=(
                "end = [Signal(config.tag_width, reset_less=True,"
                ' name=f"end_{i}") for i in tenants]'
            ),
        ),
        promise="After a reset the channel is as it is after power-up.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tags.", "tagger."),
    ),
    Mutant(
        name="priorities have 2 of their 4 bits",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.choice",
            text="lower, equal = _compare(own, all_priorities)",
            instead="lower, equal = _compare(own[:2], all_priorities[:2])",
        ),
        promise="While overcommitted, the lower of two priorities of 0 to 15 goes first.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("choice.",),
    ),
    Mutant(
        name="settings of tenants 8 to 15 read as those of 0 to 7",
        bug=Bug(
            module="mcos_hw.control.bank",
            text="index = address[: exact_log2(len(tenants))]",
            instead="index = address[: min(3, exact_log2(len(tenants)))]",
        ),
        promise="An image register reads back what is live.",
        unit=("control/test_bank.py",),
        proofs=("bank.",),
        tenants=16,
    ),
    Mutant(
        name="a row's epoch is compared by 8 bits",
        bug=Bug(
            module=f"{CHANNEL}.counters",
            text="read.data.epoch == latched_epoch",
            instead="read.data.epoch[:8] == latched_epoch[:8]",
        ),
        promise="A counter of an epoch without events reads as 0.",
        unit=("channel/test_counters.py", "channel/test_monitor.py"),
        proofs=("counters.",),
    ),
    Mutant(
        name="an entering head wins a tie with the one that follows",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.order",
            text="Mux(lower, first_if_lower, first_if_higher)",
            instead="first_if_lower",
        ),
        promise="Of equal finish tags that of the lower tenant goes first.",
        unit=("channel/arbiter/wf2q/test_order.py",),
        proofs=("order.",),
    ),
    Mutant(
        name="credit comes a clock early after two completions back to back",
        bug=Bug(
            module=f"{CHANNEL}.credit",
            text="(before - self.in_flight - granted)[-1]",
            instead=(
                "(before - self.in_flight - granted"
                " + Mux(self.served & _before(m, self.served), returned, 0))[-1]"
            ),
        ),
        promise="The port is open exactly while in flight + granted <= limit - l_max.",
        unit=("channel/test_credit.py",),
        proofs=("credit.",),
    ),
    Mutant(
        name="a slot comes a clock early when all are used",
        bug=Bug(
            module=f"{CHANNEL}.slots",
            text="(free > self.grant.valid)",
            instead=("((free > self.grant.valid) | ((free == 0) & self.served.valid))"),
        ),
        promise="A slot is free again two clocks after its response.",
        unit=("channel/test_slots.py",),
        proofs=("slots.",),
    ),
    Mutant(
        name="a sum on its way is forwarded across epochs",
        bug=Bug(
            module=f"{CHANNEL}.counters",
            text="(events[older].epoch == events[0].epoch)",
            instead="Const(1, 1)",
        ),
        promise="A count belongs to one epoch, of however few clocks.",
        unit=("channel/test_counters.py", "channel/test_monitor.py"),
        proofs=("counters.",),
    ),
)
