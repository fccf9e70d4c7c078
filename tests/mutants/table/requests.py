"""Bugs on the way of a request: intake, queue, slots, outlet, pacer, credit, channel."""

from tests.mutants.mutant import Mutant
from tests.planted import Bug

__all__ = ["REQUESTS"]

CHANNEL = "mcos_hw.channel"

REQUESTS = (
    Mutant(
        name="a row is reused when a head leaves as a request is taken",
        bug=Bug(
            module=f"{CHANNEL}.queue",
            text="(self.taken[i])",
            instead="(self.taken[i] & ~(leaves & (count == depth - 1)))",
        ),
        promise="No request is lost or changed in its queue.",
        unit=("channel/test_queue.py",),
        proofs=("queue.",),
    ),
    Mutant(
        name="a third request is overlooked when one enters as one leaves",
        bug=Bug(
            module=f"{CHANNEL}.queue",
            text="(waiting_then > 2)",
            instead="((waiting_then > 2) & ~((waiting_then == 3) & enters & leaves))",
        ),
        promise="The queue says which tenants have a third request.",
        unit=("channel/test_queue.py",),
        proofs=("queue.",),
    ),
    Mutant(
        name="a queue is full a clock longer",
        bug=Bug(
            module=f"{CHANNEL}.queue",
            text="(count_then == depth)",
            instead="((count_then == depth) | (count == depth))",
        ),
        promise="A queue that is not full takes a request.",
        unit=("channel/test_queue.py",),
        proofs=("queue.",),
    ),
    Mutant(
        name="a price is rounded up",
        bug=Bug(
            module=f"{CHANNEL}.intake",
            text="(value >> terms_fraction(config))",
            instead="((value + (1 << terms_fraction(config)) - 1) >> terms_fraction(config))",
        ),
        promise="A price is rounded down.",
        unit=("channel/test_intake.py",),
    ),
    Mutant(
        name="anybody's response makes a request recent",
        bug=Bug(
            module=f"{CHANNEL}.recent",
            text="(recent.bit_select(self.tenant, 1))",
            instead="(recent.any())",
        ),
        promise="The depth-1 rule goes by the tenant's own last response.",
        unit=("channel/test_recent.py",),
    ),
    Mutant(
        name="colour bits over 31 read an address bit 32 below",
        bug=Bug(
            module=f"{CHANNEL}.intake",
            text="request.address.bit_select(bit, 1)",
            instead="request.address.bit_select(bit[:5], 1)",
        ),
        promise="A colour is made of the address bits that the image names.",
        unit=("channel/test_intake.py",),
    ),
    Mutant(
        name="a response long ago is recent again when another one comes",
        bug=Bug(
            module=f"{CHANNEL}.recent",
            text="(since != 0x1FF)",
            instead="(self.served.valid | (since != 0x1FF))",
        ),
        promise="A tenant is recent for depth1_clocks after its response.",
        unit=("channel/test_recent.py",),
        proofs=("recent.",),
    ),
    Mutant(
        name="the pacer opens with a whole clock's rate still owed",
        bug=Bug(
            module=f"{CHANNEL}.pacer",
            text="(self.debt - (rate << 1) + granted)[-1]",
            instead="(self.debt - (rate << 1) + granted - 1)[-1]",
        ),
        promise="A grant is possible while the debt is less than the rate.",
        unit=("channel/test_pacer.py",),
        proofs=("pacer.",),
    ),
    Mutant(
        name="credit that just suffices does not",
        bug=Bug(
            module=f"{CHANNEL}.credit",
            text="(limit - config.l_max)",
            instead="(limit - config.l_max - 1)",
        ),
        promise="The port is open exactly while in flight + granted <= limit - l_max.",
        unit=("channel/test_credit.py",),
        proofs=("credit.",),
    ),
    Mutant(
        name="bytes served in the clock of a longest grant stay in flight",
        bug=Bug(
            module=f"{CHANNEL}.credit",
            text="self.in_flight + granted - returned",
            instead=(
                "self.in_flight + granted"
                " - Mux(self.grant & (self.beats == config.max_beats), 0, returned)"
            ),
        ),
        promise="Bytes in flight are those granted and not yet served.",
        unit=("channel/test_credit.py",),
        proofs=("credit.",),
    ),
    Mutant(
        name="the ring of slots stands still when one is freed as one is taken",
        bug=Bug(
            module=f"{CHANNEL}.slots",
            text="(last + self.served.valid)",
            instead="(last + (self.served.valid & ~(take & (self.slot[:3] == 7))))",
        ),
        promise="A slot is in use once at a time.",
        unit=("channel/test_slots.py",),
        proofs=("slots.",),
    ),
    Mutant(
        name="the outlet takes a command too many",
        bug=Bug(
            module=f"{CHANNEL}.outlet",
            text="(count + comes + self.grant.valid < depth)",
            instead="(count + comes + self.grant.valid <= depth)",
        ),
        promise="Every granted command reaches memory.",
        unit=("channel/test_outlet.py",),
        proofs=("outlet.",),
    ),
    Mutant(
        name="a command that comes as one of two leaves is put behind a gap",
        bug=Bug(
            module=f"{CHANNEL}.outlet",
            text="(count - leaves)",
            instead="(count - (leaves & (count != 2)))",
        ),
        promise="Commands reach memory in the order of their grants.",
        unit=("channel/test_outlet.py",),
        proofs=("outlet.",),
    ),
    Mutant(
        name="load is a half only over the half",
        bug=Bug(
            module=f"{CHANNEL}.credit",
            text="(quadrupled >= 2 * limit)",
            instead="(quadrupled > 2 * limit)",
        ),
        promise="LOAD counts the quarters of the port credit that are in flight.",
        unit=("channel/test_channel.py::test_load_is_the_quarter_of_the_port_credit_in_flight",),
    ),
    Mutant(
        name="a disabled tenant's requests wait for its buckets",
        bug=Bug(
            module=f"{CHANNEL}.classes",
            text="contract.work_conserving | ~contract.enable",
            instead="contract.work_conserving",
        ),
        promise="What a disabled tenant has queued is scavenged.",
        unit=(
            "channel/test_channel.py::test_a_disabled_tenant_takes_nothing_and_what_it_has_queued_is_scavenged",
        ),
    ),
)
