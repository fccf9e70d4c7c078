"""Single-class bounds, against numbers worked by hand."""

from fractions import Fraction

from mcos_policy.bounds import blocked_index, delay_bound, depth1_term, fair_index


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
