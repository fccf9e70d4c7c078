"""Tags stay as they are while a head waits, and virtual time goes forward with grants only."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_compact_tags",
    "check_tags",
    "check_time",
]

_TAG_MOVED = int(Rule.TAG_MOVED)
_TAG_PRICE = int(Rule.TAG_PRICE)
_TAG_WINDOW = int(Rule.TAG_WINDOW)
_TAG_START = int(Rule.TAG_START)
_TIME_BACK = int(Rule.TIME_BACK)

_OF_FINISH = int(Quantity.FINISH)
_OF_LEAD = int(Quantity.LEAD)
_OF_PRICE = int(Quantity.PRICE)
_OF_START = int(Quantity.START)
_OF_TIME = int(Quantity.VIRTUAL_TIME)


@compiled
def check_time(found, width, clocks, granted, time):
    """V moves so many clocks after a grant, and never back; in the clock of a grant, 0, or one."""
    for k in range(max(1, clocks), len(granted)):
        if time[k] == time[k - 1]:
            continue
        if not granted[k - clocks] and (clocks or not granted[k - 1]):
            tell(found, _TAG_MOVED, k, -1, -1, time[k], time[k - 1], _OF_TIME)
        elif (time[k] - time[k - 1]) >> (width - 1) & 1:
            tell(found, _TIME_BACK, k, -1, -1, time[k], time[k - 1], _OF_TIME)


@compiled
def _nearest_price(cost, beats, inverses, widening, fraction, mask):
    """``cost`` if that is a price of so many beats by an image until now, else the newest price.

    A request keeps the price of the image under which it came.
    """
    price = 0
    for each in range(len(inverses)):
        price = (beats * inverses[each] << widening >> fraction) & mask
        if price == cost:
            break
    return price


@compiled
def check_compact_tags(
    found,
    width,
    stale_after,
    update_clocks,
    granted,
    tenant,
    time,
    present,
    beats,
    start,
    finish,
    inverses,
    widening,
    fraction,
    image,
):
    """S and F of every head of a compact channel, which gets them once, some clocks late.

    Behind a granted head that is ``update_clocks`` after the grant; in an empty queue, when it is
    the turn of the tenant.
    """
    mask = (1 << width) - 1
    for i in range(present.shape[1]):
        # Clock of the last grant, and whether the head has got its tags.
        since = -1
        follows, told = False, False
        for k in range(1, len(granted)):
            if granted[k - 1] and tenant[k - 1] == i:
                since, follows, told = k - 1, present[k, i] == 1, False
            elif not present[k - 1, i]:
                follows, told = False, False
            if start[k, i] == start[k - 1, i] and finish[k, i] == finish[k - 1, i]:
                continue
            ahead = start[k, i] - time[k] & mask
            behind = time[k] - start[k, i] & mask
            anchored = behind >> (width - 1) == 0 and behind > stale_after >> 2
            if not present[k - 1, i] or told or (follows and k != since + update_clocks):
                tell(found, _TAG_MOVED, k, i, -1, start[k, i], start[k - 1, i], _OF_START)
            elif follows and start[k, i] != finish[k - 1, i] and not anchored:
                tell(found, _TAG_START, k, i, -1, start[k, i], finish[k - 1, i], _OF_START)
            if ahead >> (width - 2) == 1:
                tell(found, _TAG_WINDOW, k, i, -1, ahead, 1 << width - 2, _OF_LEAD)
            told = True
            cost = finish[k, i] - start[k, i] & mask
            scale = widening, fraction, mask
            expected = _nearest_price(cost, beats[k, i], inverses[: image[k] + 1, i], *scale)
            if expected != cost:
                tell(found, _TAG_PRICE, k, i, -1, cost, expected, _OF_PRICE)


@compiled
def check_tags(
    found,
    width,
    stale_after,
    granted,
    tenant,
    time,
    present,
    beats,
    start,
    finish,
    inverses,
    widening,
    fraction,
    image,
):
    """S and F of every head; those of the first clock may have waited, and are as they are."""
    mask = (1 << width) - 1
    for k in range(1, len(granted)):
        now = image[k]
        for i in range(present.shape[1]):
            if not present[k, i]:
                continue
            stays = present[k - 1, i] and not (granted[k - 1] and tenant[k - 1] == i)
            if stays:
                if start[k, i] != start[k - 1, i]:
                    tell(found, _TAG_MOVED, k, i, -1, start[k, i], start[k - 1, i], _OF_START)
                elif finish[k, i] != finish[k - 1, i]:
                    tell(found, _TAG_MOVED, k, i, -1, finish[k, i], finish[k - 1, i], _OF_FINISH)
                continue
            behind = time[k] - start[k, i] & mask
            # A head behind a stale one starts at an anchor, or at its own finish tag.
            anchored = behind >> (width - 1) == 0 and behind > stale_after >> 2
            if present[k - 1, i] and start[k, i] != finish[k - 1, i] and not anchored:
                tell(found, _TAG_START, k, i, -1, start[k, i], finish[k - 1, i], _OF_START)
            ahead = start[k, i] - time[k] & mask
            if ahead >> (width - 2) == 1:
                tell(found, _TAG_WINDOW, k, i, -1, ahead, 1 << width - 2, _OF_LEAD)
            cost = finish[k, i] - start[k, i] & mask
            scale = widening, fraction, mask
            expected = _nearest_price(cost, beats[k, i], inverses[: now + 1, i], *scale)
            if expected != cost and not anchored:
                tell(found, _TAG_PRICE, k, i, -1, cost, expected, _OF_PRICE)
