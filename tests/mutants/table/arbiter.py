"""Bugs of who goes first: choice, order, and what the arbiter says of a grant."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["ARBITER"]

CHANNEL = "mcos_hw.channel"

ARBITER = (
    Mutant(
        name="a next request goes by priority though capacity suffices",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.choice",
            text="Mux(self.overcommitted, self.priorities[i], 0)",
            instead="self.priorities[i]",
        ),
        promise="Priority counts only while overcommitted is set.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("choice.",),
    ),
    Mutant(
        name="a held request that enters an idle channel is granted",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.choice",
            text="(self.fresh & ~granted & has_class)",
            instead="(self.fresh & ~granted)",
        ),
        promise="Only a serviceable head is granted.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("choice.",),
    ),
    Mutant(
        name="of stale heads the highest tenant goes first",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.choice",
            text="Const(-2 << i, unsigned(config.tenants))",
            instead="Const((1 << i) - 1, unsigned(config.tenants))",
        ),
        promise="Stale heads of a class go in the order of tenants.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("choice.",),
    ),
    Mutant(
        name="a stale request behind a second grant goes by the tenant of the first",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.choice",
            text="Mux(again.copies[0], belows[1], belows[0])",
            instead="belows[0]",
        ),
        promise="Stale heads of a class go in the order of tenants.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("choice.",),
    ),
    Mutant(
        name="a tie after a second grant in a row goes the wrong way",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.choice",
            text="set_below(was_granted)",
            instead="set_below(chosen.copies[0])",
        ),
        promise="Of equal finish tags that of the lower tenant goes first.",
        unit=(
            "channel/arbiter/wf2q/test_order.py",
            "channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",
        ),
        proofs=("choice.",),
    ),
    Mutant(
        name="a request behind a promoted one counts as promoted",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.wfq",
            text="(self.promote & ~granted)",
            instead="(self.promote)",
        ),
        promise="A promotion is of one head.",
        unit=(
            "channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",
            "channel/test_channel.py::test_an_over_age_head_goes_before_a_better_class",
        ),
    ),
    Mutant(
        name="a second grant in a row has the class of the first",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.wfq",
            text="Mux(granted[i], self.classes.next_code, self.classes.codes[i])",
            instead="self.classes.codes[i]",
        ),
        promise="A grant is charged in the class of its own head.",
        unit=(
            "channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",
            "channel/test_channel.py::test_the_monitor_counts_grants_and_responses",
        ),
    ),
    Mutant(
        name="a head that starts with another one starts before it",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.order",
            text="~news[1] & ~news[2]",
            instead="~news[1]",
        ),
        promise="Of equal start tags the least finish tag goes first.",
        unit=("channel/arbiter/wf2q/test_order.py",),
        proofs=("order.",),
    ),
    Mutant(
        name="an entering head is compared with the one that leaves",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.order",
            text="Mux(granted[j], met, new)",
            instead="new",
        ),
        promise="The head with the least finish tag goes first.",
        unit=("channel/arbiter/wf2q/test_order.py",),
        proofs=("order.",),
    ),
    Mutant(
        name="an entering head loses every tie",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.order",
            text="lower_than[j]",
            instead="Const(0, 1)",
        ),
        promise="Of equal finish tags that of the lower tenant goes first.",
        unit=("channel/arbiter/wf2q/test_order.py",),
        proofs=("order.",),
    ),
    Mutant(
        name="an inverted copy shows all ones after reset",
        bug=Bug(
            module="mcos_hw.primitive.replicated",
            text="init=ones if inverted else 0",
            instead="init=0",
        ),
        promise="All copies of a register are equal in every clock.",
        unit=("primitive/test_replicated.py",),
        proofs=("choice.",),
    ),
)
