"""Bugs on the way of an image: bus and register bank, store, loader and commit."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["CONTROL"]

BANK = "mcos_hw.control.bank"
STORE = "mcos_hw.control.store"
LOADER = "mcos_hw.control.loader"

LOADING = ("control/test_loader.py", "control/test_given_images.py")

CONTROL = (
    Mutant(
        name="bit 31 beside a field is let pass",
        bug=Bug(
            module=STORE,
            text="(self.word & ~register.mask & 0xFFFF_FFFF)",
            instead="(self.word & ~register.mask & 0x7FFF_FFFF)",
        ),
        promise="A word with a bit outside its fields is refused.",
        unit=("control/test_store.py", *LOADING),
        proofs=("store.",),
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
            module=LOADER,
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
            module=LOADER,
            text="(committed + row.committed_rate)",
            instead="((committed + row.committed_rate)[: self.config.rate_width])",
        ),
        promise="An image that commits more than is admissible is refused.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="the channel's full rate is refused for the pacer",
        bug=Bug(
            module=LOADER,
            text="(channel.pacer_rate > r)",
            instead="(channel.pacer_rate >= r)",
        ),
        promise="The pacer's rate may be the channel's.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a weight of 1 is refused",
        bug=Bug(
            module=LOADER,
            text="(value > 1 << fraction)",
            instead="(value >= 1 << fraction)",
        ),
        promise="1/w may be 1.0.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a committed depth a byte too small is taken",
        bug=Bug(
            module=LOADER,
            text="(row.committed_depth < self.config.l_max)",
            instead="(row.committed_depth < self.config.l_max - 1)",
        ),
        promise="A committed depth is at least l_max.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a best-effort tenant may have a committed depth",
        bug=Bug(
            module=LOADER,
            text="            row.committed_depth != 0,\n",
            instead="            0,\n",
        ),
        promise="A tenant without a guarantee has no committed tokens, full bucket or not.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="a tenant that nothing would serve is taken",
        bug=Bug(
            module=LOADER,
            text="(row.peak_depth != 0) | ~row.work_conserving",
            instead="(row.peak_depth != 0)",
        ),
        promise="A tenant without a peak rate is work conserving.",
        unit=LOADING,
        proofs=("loader.",),
    ),
    Mutant(
        name="an image after a refused one is refused",
        bug=Bug(module=LOADER, text="                broken.eq(0),\n", instead=""),
        promise="A begin forgets what was staged.",
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
