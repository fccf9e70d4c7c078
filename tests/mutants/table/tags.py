"""Bugs of tags and virtual time: tags, entrance, virtual time, staleness."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["TAGS"]

CHANNEL = "mcos_hw.channel"

TAGS = (
    Mutant(
        name="a request follows on an F that is a grant old",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.tags",
            text="Mux((self.approach & ended).any(), end_sum, pick(self.approach, end))",
            instead="pick(self.approach, end)",
        ),
        promise="S of a request is F of the one before it in its queue.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tags.", "tagger."),
    ),
    Mutant(
        name="a second request that enters as the first leaves is overlooked",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.tags",
            text="Mux((granted & enters).any(), entering.finish, self.third_finish)",
            instead="Mux((granted & self.enters_head).any(), entering.finish, self.third_finish)",
        ),
        promise="F of a request is its S and its price.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tags.", "tagger."),
    ),
    Mutant(
        name="staleness outlives its head",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.staleness",
            text="Mux(granted[i], stale[1:], stale)",
            instead="Mux(granted[i], Cat(stale[1] | stale[0], stale[2]), stale)",
        ),
        promise="A head is stale if its own S is stale_after behind V.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tagger.",),
    ),
    Mutant(
        name="who comes back after long starts where it stopped",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.entrance",
            text="(self.stale[0] | passed)",
            instead="(passed)",
        ),
        promise="S of a request to an empty queue is max(F, V).",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tagger.",),
    ),
    Mutant(
        name="a request that comes during a jump sees the V before it",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.entrance",
            text="Mux(self.arrivals.jumps, jump_time, value_time)",
            instead="value_time",
        ),
        promise="S of a request to an empty queue is max(F, V).",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tagger.",),
    ),
    Mutant(
        name="V is compared as if it did not wrap",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.virtual_time",
            text="modular_less(current, step.to)",
            instead="(current < step.to)",
        ),
        promise="Tags are modular.",
        unit=("channel/arbiter/wf2q/test_virtual_time.py",),
        proofs=("virtual_time.", "tagger."),
    ),
    Mutant(
        name="V jumps to a promoted head",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.virtual_time",
            text="Mux(self.promoted, self.start - lead, self.start)",
            instead="self.start",
        ),
        promise="A promotion takes V no nearer than tag_lead to the head's S.",
        unit=("channel/arbiter/wf2q/test_virtual_time.py",),
        proofs=("virtual_time.", "tagger."),
    ),
    Mutant(
        name="three beats cost by the weights before for a clock",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.virtual_time",
            text="(3 * inverse_total_weight)",
            instead="(3 * inverse)",
        ),
        promise="A grant moves V by its size over the live image's total weight.",
        unit=("channel/arbiter/wf2q/test_virtual_time.py",),
        proofs=("virtual_time.",),
    ),
    Mutant(
        name="a new head is judged by a V that is a grant too old",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.virtual_time",
            text="Mux(self.grant, current, before)",
            instead="before",
        ),
        promise="A head is eligible by V as it was L grants ago.",
        unit=("channel/arbiter/wf2q/test_virtual_time.py",),
        proofs=("virtual_time.",),
    ),
    Mutant(
        name="a request behind a grant is eligible a grant early",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.staleness",
            text="quarter(seen.past_grant, self.following_start)",
            instead="quarter(seen.next, self.following_start)",
        ),
        promise="A head is eligible by V as it was L grants ago.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("staleness.",),
    ),
    Mutant(
        name="a second request in a row is eligible as the first one was",
        bug=Bug(
            module=f"{CHANNEL}.arbiter.wf2q.staleness",
            text="~Mux(again, later[1], later[0])",
            instead="~Mux(again, later[1] & later[0], later[0])",
        ),
        promise="A head is eligible if its own S is reached.",
        unit=("channel/arbiter/wf2q/test_wfq.py::test_grants_and_tags_agree_with_the_model[3]",),
        proofs=("tagger.",),
    ),
)
