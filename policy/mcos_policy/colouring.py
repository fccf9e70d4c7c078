"""Which page colours each tenant has: sets of banks that are its own.

A colour is the number that some bits of a page's address make; where those bits select banks,
tenants of different colours never close each other's rows. Tenants name their colours
(``page_color``) or get as many as their quota needs.
"""

import math
from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.registers import COLOUR_BITS
from mcos_policy.contract import Contract, Placement
from mcos_policy.diagnostics import Diagnostic, error, warning
from mcos_policy.keys import declared
from mcos_policy.spreading import local_bit, window
from mcos_policy.units import SIZE

__all__ = [
    "check_colours",
    "colour_bits",
    "colour_masks",
    "colours_for_quota",
    "hardware_mask",
]


def colours_for_quota(contract: Contract, position: int) -> int:
    """Colours that a tenant's quota takes on each channel; 0 if it has none, or size is unknown."""
    quota = contract.tenants[position].placement.hbm_quota
    if quota is None or contract.memory.size is None:
        return 0
    each = contract.fabric.channels * contract.memory.size
    return math.ceil(quota * contract.memory.colours / each)


def colour_masks(contract: Contract) -> dict[int, int]:
    """The colours of each tenant of an admitted contract by position, a bit each.

    Those named in the contract come first; then quotas take the lowest colours that nobody has, in
    the order of the file. Tenants with neither share what is left, and have all colours where
    nobody has any of his own.
    """
    masks = {
        position: tenant.placement.page_color or 0 for position, tenant in contract.tenants.items()
    }
    left = (1 << contract.memory.colours) - 1
    for mask in masks.values():
        left &= ~mask
    for position, mask in masks.items():
        if not mask:
            for _ in range(colours_for_quota(contract, position)):
                lowest = left & -left
                masks[position] |= lowest
                left ^= lowest
    return {position: mask or left for position, mask in masks.items()}


def colour_bits(contract: Contract) -> tuple[int, ...]:
    """The address bits of a colour, as many as the hardware has; those that no colour needs are 0.

    They are bits of a channel's own addresses, which lack those that choose the channel. What they
    say does not matter: :func:`hardware_mask` has the same for 0 and for 1.
    """
    bits = tuple(local_bit(contract, bit) for bit in contract.memory.colour_bits)
    return bits + (0,) * (COLOUR_BITS - len(bits))


def hardware_mask(contract: Contract, mask: int) -> int:
    """A mask of the contract's colours as one of all that the hardware tells apart."""
    colours = contract.memory.colours
    return sum(mask << shift for shift in range(0, 1 << COLOUR_BITS, colours))


def check_colours(contract: Contract) -> Iterator[Diagnostic]:
    """Everything about colours and quotas that the memory cannot keep, and warnings."""
    memory = contract.memory
    yield from _check_memory(contract)
    colours = memory.colours
    everything = (1 << colours) - 1
    named = {}
    for position, tenant in contract.tenants.items():
        placement = tenant.placement
        for key, each in declared(Placement).items():
            if getattr(placement, key) != each.default and not memory.colour_bits:
                text = f"{key} needs colour_bits in [memory], the address bits that make a colour"
                yield error(placement.at(key).key_origin, f"{text}; add them or remove {key}")
        if not memory.colour_bits:
            continue
        if placement.page_color is not None:
            named[position] = placement.page_color
            if placement.page_color > everything:
                text = (
                    f"page_color must be a mask of {colours} colours, at most {everything:#x}, "
                    f"not {placement.at('page_color').shown}; clear the bits above"
                )
                yield error(placement.at("page_color").origin, text)
        if placement.hbm_quota is not None and memory.size is None:
            text = "hbm_quota needs size in [memory], the bytes behind a channel; add it"
            yield error(placement.at("hbm_quota").key_origin, text)
        needs = colours_for_quota(contract, position)
        if placement.page_color is not None and needs > placement.page_color.bit_count():
            text = (
                f"hbm_quota must fit the {placement.page_color.bit_count()} colours of page_color, "
                f"and {_shown(placement.hbm_quota)} takes {needs}; lower it or name more"
            )
            yield error(placement.at("hbm_quota").origin, text)
    yield from _check_sharing(contract, named)
    yield from _check_room(contract, named)


def _shown(size: int | None) -> str:
    return SIZE.show(Fraction(size or 0))


def _check_memory(contract: Contract) -> Iterator[Diagnostic]:
    memory = contract.memory
    given = memory.at("colour_bits")
    if memory.colour_bits and 1 << memory.colour_bits[0] < memory.page:
        text = (
            f"colour_bits must be above a page of {_shown(memory.page)}, at least "
            f"{(memory.page - 1).bit_length()}, not {given.shown}; raise them"
        )
        yield error(given.origin, text)
    chosen = window(contract)
    size = memory.size and memory.size << len(chosen)
    if memory.colour_bits and size and 1 << memory.colour_bits[-1] >= size:
        whole = "all channels" if chosen else "a channel"
        text = (
            f"colour_bits must be within the {_shown(size)} of {whole}, at most "
            f"{size.bit_length() - 2}, not {given.shown}; lower them"
        )
        yield error(given.origin, text)
    if set(memory.colour_bits) & set(chosen):
        text = (
            f"colour_bits must not be among the address bits {chosen[0]}..{chosen[-1]}, which "
            f"choose the channel, not {given.shown}; take others, or another grain in "
            "[fabric.interleave]"
        )
        yield error(given.origin, text)


def _check_sharing(contract: Contract, named: dict[int, int]) -> Iterator[Diagnostic]:
    """Tenants with a colour in common close each other's rows."""
    for position, mask in named.items():
        others = [
            contract.tenants[other].name
            for other, theirs in named.items()
            if other < position and theirs & mask
        ]
        if others:
            text = (
                f"page_color should share no colour with {' and '.join(others)}; their rows will "
                "close each other"
            )
            placement = contract.tenants[position].placement
            yield warning(placement.at("page_color").origin, text)


def _check_room(contract: Contract, named: dict[int, int]) -> Iterator[Diagnostic]:
    """What nobody named must be enough for all quotas and for the tenants with neither."""
    taken = 0
    for mask in named.values():
        taken |= mask
    free = contract.memory.colours - taken.bit_count()
    wanting = []
    for position, tenant in contract.tenants.items():
        if position in named:
            continue
        needs = colours_for_quota(contract, position)
        if needs:
            if needs > free:
                text = (
                    f"hbm_quota must fit the {free} colours that are left, and "
                    f"{_shown(tenant.placement.hbm_quota)} takes {needs}; lower a quota or "
                    "name fewer colours"
                )
                yield error(tenant.placement.at("hbm_quota").origin, text)
            free = max(0, free - needs)
        else:
            wanting.append(position)
    if wanting and not free:
        text = (
            f"{contract.tenants[wanting[0]].name!r} must have a colour, and others have all "
            f"{contract.memory.colours}; give it page_color or take fewer"
        )
        yield error(contract.tenants[wanting[0]].origin, text)
