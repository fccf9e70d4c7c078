"""A request on its way from its port to its queue, with its price."""

from typing import Protocol

from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout

__all__ = [
    "Arrival",
    "approach_layout",
    "arrival_signature",
    "entry_layout",
    "stored_layout",
    "terms_fraction",
    "terms_layout",
    "terms_widening",
]


def terms_layout(config: ChannelConfig) -> data.ArrayLayout:
    """Two terms of a price, with ``terms_fraction`` more fraction bits than a tag."""
    return data.ArrayLayout(config.reciprocal_width + 5 + terms_widening(config), 2)


def terms_fraction(config: ChannelConfig) -> int:
    """Fraction bits that the terms of a price have beyond those of a tag."""
    return max(0, _fraction_left(config))


def terms_widening(config: ChannelConfig) -> int:
    """Fraction bits that beats x 1/w lacks to those of a tag."""
    return max(0, -_fraction_left(config))


def _fraction_left(config: ChannelConfig) -> int:
    """Fraction bits of beats x 1/w beyond those of a tag."""
    return config.reciprocal_fraction - config.tag_fraction - (config.beat_bytes - 1).bit_length()


def stored_layout(config: ChannelConfig) -> data.StructLayout:
    """A request on its way into the memory of the queues.

    - ``valid``: there is one in this clock;
    - ``row``: its place among the rows of its tenant;
    - ``request``: the request as its port offered it.
    """
    return data.StructLayout(
        {"valid": 1, "row": range(config.queue_depth), "request": request_layout(config)}
    )


def approach_layout(config: ChannelConfig) -> data.StructLayout:
    """A request that approaches its queue: the step before :func:`entry_layout`.

    - ``tenants``: the bit of its tenant, or none;
    - ``tenants_copy``: a copy of ``tenants`` that selects tags, to share its fan-out;
    - ``beats``: its length;
    - ``outside``: its address is outside the page colours of its tenant;
    - ``terms``: two numbers whose sum is its price s / w before rounding;
    - ``early``: a copy of ``terms`` if the depth-1 rule applies, else 0. It applies if the request
      was taken within ``depth1_clocks`` of its tenant's last response;
    - ``recent``: that rule applies; of a compact channel, in place of ``terms`` and ``early``.
    """
    terms = terms_layout(config)
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "tenants_copy": config.tenants,
            "beats": config.beats_width,
            "outside": 1,
            **({"recent": 1} if config.compact else {"terms": terms, "early": terms}),
        }
    )


def entry_layout(config: ChannelConfig) -> data.StructLayout:
    """A request that enters its queue in this clock, and is in it from the next clock on.

    - ``tenants``: the bit of its tenant, or none;
    - ``row``: its place among the rows of its tenant;
    - ``beats``: its length;
    - ``outside``: its address is outside the page colours of its tenant;
    - ``cost``: its price s / w in tag units, rounded down;
    - ``offered``: the clock in which it was first offered, modulo ``2**stamp_width``.
    """
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "row": range(config.queue_depth),
            "beats": config.beats_width,
            "outside": 1,
            "cost": config.tag_width,
            "offered": config.stamp_width,
        }
    )


class Arrival(Protocol):
    """A request at the steps of its way into its queue, one request a step and clock.

    L is ``ChannelConfig.lateness``, 0 to 3. With L = 0 a request is at all steps in the clock in
    which it is taken. With L > 0, or in a compact channel, it is stored and *approaches* one clock
    after it is taken, and *enters* two clocks after it. It is in its queue from the clock after
    that on.
    """

    stored: data.View
    """The request for the memory of the queues, see :func:`stored_layout`."""

    approach: data.View
    """The approaching request, see :func:`approach_layout`."""

    entry: data.View
    """The entering request, see :func:`entry_layout`."""


def arrival_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Arrival` as the intake drives it."""
    return wiring.Signature(
        {
            "stored": Out(stored_layout(config)),
            "approach": Out(approach_layout(config)),
            "entry": Out(entry_layout(config)),
        }
    )
