"""Bugs on the way of an image: bus and register bank, store, loader and commit."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["CONTROL"]

BANK = "mcos_hw.control.bank"
STORE = "mcos_hw.control.store"
LOADER = "mcos_hw.control.loader"
CHECKER = "mcos_hw.control.checker"

LOADING = ("control/test_loader.py", "control/test_given_images.py")

CONTROL = (
    Mutant(
        name="bit 31 beside a field is let pass",
        bug=Bug(
            module=CHECKER,
            text="(self.word & ~register.mask & 0xFFFF_FFFF)",
            instead="(self.word & ~register.mask & 0x7FFF_FFFF)",
        ),
        promise="A word with a bit outside its fields is refused.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a commit leaves out the last tenant",
        bug=Bug(
            module=STORE,
            text="(self.shadow)",
            instead=(
                "(Cat(self.shadow.channel, *(self.shadow.tenants[i]"
                " for i in range(len(self.live.tenants) - 1)),"
                " self.live.tenants[len(self.live.tenants) - 1]))"
            ),
        ),
        promise="A commit takes the whole image.",
        unit=("control/test_store.py", *LOADING),
        proofs=("store.", "loader."),
    ),
    Mutant(
        name="a begin with a commit is a begin",
        bug=Bug(
            module=LOADER,
            text=(
                "            with m.If(self.commit):\n                refuse(ImageCode.TRUNCATED)\n"
            ),
            instead="",
        ),
        promise="A commit before the image is complete is refused.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a word too many is taken while values are checked",
        bug=Bug(
            module=LOADER,
            text="(self.state == ImageState.CHECKING) | (self.state == ImageState.STAGED)",
            instead="self.state == ImageState.STAGED",
        ),
        promise="An image with a word too many is refused.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="the full admissible sum is refused",
        bug=Bug(
            module=CHECKER,
            text="committed > self.config.admissible_rate",
            instead="committed >= self.config.admissible_rate",
        ),
        promise="Committed rates of 0.85 of the capacity are admissible.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="the sum of committed rates wraps",
        bug=Bug(
            module=CHECKER,
            text="(committed + value)",
            instead="((committed + value)[: self.config.rate_width])",
        ),
        promise="An image that commits more than is admissible is refused.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="the largest value is refused",
        bug=Bug(
            module=CHECKER,
            text="value > field.largest",
            instead="value >= field.largest",
        ),
        promise="A value may be the largest that the map allows.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a depth a byte too small is taken",
        bug=Bug(
            module=CHECKER,
            text="value < self.config.l_max",
            instead="value < self.config.l_max - 1",
        ),
        promise="A depth is at least l_max.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a best-effort tenant may have a committed depth",
        bug=Bug(
            module=CHECKER,
            text="Mux(rate == 0, value != 0, ",
            instead="Mux(rate == 0, 0, ",
        ),
        promise="A tenant without a guarantee has no committed tokens, full bucket or not.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a tenant that nothing would serve is taken",
        bug=Bug(
            module=CHECKER,
            text="unserved = (value == 0) & ~work_conserving",
            instead="unserved = 0",
        ),
        promise="A tenant without a peak rate is work conserving.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="an image after a refused one is refused",
        bug=Bug(
            module=CHECKER,
            text="        with m.If(self.begin):\n            m.d.sync += broken.eq(0)\n",
            instead="",
        ),
        promise="A begin forgets what was staged.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="an image of another clock is taken",
        bug=Bug(
            module=LOADER,
            text='                (HeaderWord.CLOCK, registers["CLOCK"].reset, ImageCode.CLOCK),\n',
            instead="",
        ),
        promise="An image for another clock is refused before any value is taken.",
        unit=LOADING,
    ),
    Mutant(
        name="a section that came before comes again",
        bug=Bug(
            module=CHECKER,
            text="            (index < element, ImageCode.REPEATED),\n",
            instead="",
        ),
        promise="Every section comes once.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="an image without its last sections is staged",
        bug=Bug(
            module=LOADER,
            text="~Cat(checker.complete for checker in checkers).all()",
            instead="~Cat(checker.complete for checker in checkers[1:]).all()",
        ),
        promise="An image is staged when all sections have come.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="generations have 8 bits",
        bug=Bug(
            module=LOADER,
            text="(self.generation + 1)",
            instead="((self.generation + 1)[:8])",
        ),
        promise="GENERATION counts commits in 32 bits.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a write of some bytes counts as a whole one",
        bug=Bug(module=BANK, text="strobes.all()", instead="strobes.any()"),
        promise="A write without all strobes is refused and changes nothing.",
        unit=("control/test_bank.py", "bus/test_axi4lite.py"),
        proofs=("bank.",),
    ),
    Mutant(
        name="a write overtakes the answer before it",
        bug=Bug(
            module=BANK,
            text="address_held & word_held & ~bus.bvalid",
            instead="address_held & word_held",
        ),
        promise="Every write has its answer.",
        unit=("control/test_bank.py",),
        proofs=("bank.",),
    ),
    Mutant(
        name="a word read shows through in the next one",
        bug=Bug(
            module=BANK,
            text="*(word.eq(0) for word in words.values())",
            instead='*(word.eq(0) for kind, word in words.items() if kind != "array")',
        ),
        promise="A read has its own register's word.",
        unit=("control/test_bank.py",),
        proofs=("bank.",),
    ),
)
