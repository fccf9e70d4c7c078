"""Bugs of what is promised by tokens and age: buckets, classes, age guard."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["TOKENS"]

CHANNEL = "mcos_hw.channel"

TOKENS = (
    Mutant(
        name="a level over half its range shows its low beats only",
        bug=Bug(
            module=f"{CHANNEL}.bucket",
            text="spread(whole[width:].any(), width)",
            instead="spread(whole[width:-1].any(), width)",
        ),
        promise="A head conforms if its bucket covers it, up to the deepest bucket.",
        unit=("channel/test_bucket.py",),
        proofs=("bucket.",),
    ),
    Mutant(
        name="a bucket in debt is not filled when its tenant is enabled",
        bug=Bug(
            module=f"{CHANNEL}.bucket",
            text="Mux(self.fill | over, limit, charged_level)",
            instead="Mux((self.fill & ~level[-1]) | over, limit, charged_level)",
        ),
        promise="The buckets of a tenant that is enabled are full.",
        unit=("channel/test_bucket.py",),
        proofs=("bucket.",),
    ),
    Mutant(
        name="a full bucket forgets a charge",
        bug=Bug(
            module=f"{CHANNEL}.bucket",
            text="(spare[-1] & (~lacks_few | (lack + charge)[lack_bits - 1]))",
            instead="(spare[-1] & (~lacks_few | (lack + charge)[lack_bits - 1] | lack[0]))",
        ),
        promise="A level is the one before, plus the rate, less what was granted, at most full.",
        unit=("channel/test_bucket.py",),
        proofs=("bucket.",),
    ),
    Mutant(
        name="a refill loses its carry in the clock of a charge",
        bug=Bug(
            module=f"{CHANNEL}.bucket",
            text="low[-1]",
            instead="(low[-1] & ~charged)",
        ),
        promise="A level is the one before, plus the rate, less what was granted, at most full.",
        unit=("channel/test_bucket.py",),
        proofs=("bucket.",),
    ),
    Mutant(
        name="tokens that just cover a head do not",
        bug=Bug(
            module=f"{CHANNEL}.classes",
            text="may & (tokens.peak_beats[i] >= in_peak)",
            instead="may & (tokens.peak_beats[i] > in_peak)",
        ),
        promise="A head is of class burst if the peak bucket covers it.",
        unit=("channel/test_classes.py",),
    ),
    Mutant(
        name="a next request forgets that a burst grant is charged",
        bug=Bug(
            module=f"{CHANNEL}.classes",
            text="Mux(charged_peak, head.beats, 0)",
            instead="Mux(charged_committed, head.beats, 0)",
        ),
        promise="A head is of class burst if the peak bucket covers it.",
        unit=("channel/test_classes.py",),
    ),
    Mutant(
        name="refused requests are scavenged",
        bug=Bug(
            module=f"{CHANNEL}.classes",
            text="may & scavenges",
            instead="scavenges",
        ),
        promise="A request outside its tenant's colours waits while refuse_outside is set.",
        unit=("channel/test_classes.py",),
    ),
    Mutant(
        name="a head that enters has the class of the next one",
        bug=Bug(
            module=f"{CHANNEL}.classes",
            text="Mux(entry.tenants[i], entry[name], approach[name])",
            instead=("Mux(entry.tenants[i] & ~approach.tenants[i], entry[name], approach[name])"),
        ),
        promise="A head's class is that of its own size.",
        unit=("channel/test_classes.py",),
    ),
    Mutant(
        name="the highest age is followed by none",
        bug=Bug(
            module=f"{CHANNEL}.age",
            text="visited_age + (ready & ~visited_age.all())",
            instead="visited_age + ready",
        ),
        promise="An age stops at its highest value.",
        unit=("channel/test_age.py",),
        proofs=("age.",),
    ),
    Mutant(
        name="a promotion waits a grant too long",
        bug=Bug(
            module=f"{CHANNEL}.age",
            text="(rested >= self.live.channel.promotion_interval)",
            instead="(rested > self.live.channel.promotion_interval)",
        ),
        promise="There is a promotion after promotion_interval grants.",
        unit=("channel/test_age.py",),
        proofs=("age.",),
    ),
    Mutant(
        name="a head inherits the age of one granted while it was compared",
        bug=Bug(
            module=f"{CHANNEL}.age",
            text="(visited & ~granted)",
            instead="(visited)",
        ),
        promise="An age begins anew with every head.",
        unit=("channel/test_age.py",),
        proofs=("age.",),
    ),
    Mutant(
        name="age limits under a round switch the guard off",
        bug=Bug(
            module=f"{CHANNEL}.age",
            text="each.any()",
            instead="each[round_bits:].any()",
        ),
        promise="Only a limit of 0 switches the guard off.",
        unit=("channel/test_age.py",),
        proofs=("age.",),
    ),
    Mutant(
        name="the first promotion after a reset waits for an interval",
        bug=Bug(
            module=f"{CHANNEL}.age",
            text="rested = Signal(8, init=0xFF)",
            instead="rested = Signal(8)",
        ),
        promise="The first promotion waits for nothing but its age.",
        unit=("channel/test_age.py",),
        proofs=("age.",),
    ),
)
