"""Single-class bounds, against numbers worked by hand."""

from fractions import Fraction

from mcos_policy.bounds import (
    Other,
    blocked_index,
    conforming_wait,
    delay_bound,
    depth1_term,
    fair_index,
)


def test_fair_index() -> None:
    share = Fraction(1, 4)
    assert fair_index(longest=512, l_max=512, share=share, lateness=0, intake=0) == 512
    assert fair_index(longest=128, l_max=512, share=share, lateness=0, intake=0) == 128 + 96
    assert fair_index(longest=128, l_max=512, share=share, lateness=2, intake=0) == 128 + 96 + 256
    late = fair_index(longest=128, l_max=512, share=share, lateness=2, intake=2)
    assert late == 128 + 96 + 256 + 192


def test_delay_bound() -> None:
    share = Fraction(1, 4)
    bound = delay_bound(sigma=512, index=Fraction(256), share=share, bytes_per_clock=64)
    assert bound == 32 + 16 + 1


def test_blocked_index() -> None:
    assert blocked_index(l_max=512, share=Fraction(1, 4)) == 256


def test_depth1_term() -> None:
    assert depth1_term(share=Fraction(1, 4), others=[512, 256]) == 192
    assert depth1_term(share=Fraction(1, 4), others=[]) == 0


def test_conforming_wait() -> None:
    fair, half = Fraction(100), Fraction(1, 2)
    quiet = Other(share=Fraction(1, 4), credit=Fraction(8), saved=Fraction(8), load=Fraction(0))
    # 50 of its own share, twice 25 + 8, and 16.
    wait = conforming_wait(fair=fair, share=half, others=[quiet, quiet], blocked=Fraction(16))
    assert wait == 132
    # One has tokens for more: 50 + 33 + 16 + 8 + D / 2.
    busy = Other(share=Fraction(1, 4), credit=Fraction(8), saved=Fraction(8), load=half)
    wait = conforming_wait(fair=fair, share=half, others=[quiet, busy], blocked=Fraction(16))
    assert wait == 2 * 107
    # Tokens come while the memory holds all up as well.
    wait = conforming_wait(
        fair=fair, share=half, others=[quiet, busy], blocked=Fraction(16), wait=Fraction(10)
    )
    assert wait == 2 * 112
    # A higher priority goes first whatever its share, and as far as its bucket reaches.
    urgent = Other(share=half, credit=Fraction(0), saved=Fraction(20), load=half, first=True)
    assert conforming_wait(fair=fair, share=half, others=[urgent], blocked=Fraction(0)) == 140
    # Guarantees that leave nothing leave no bound.
    two = [urgent, urgent]
    assert conforming_wait(fair=fair, share=half, others=two, blocked=Fraction(0)) is None
