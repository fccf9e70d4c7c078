"""Which colour stands for what, on every page and picture; no two things share one.

Arbiters and classes have the eight colours of Okabe and Ito, which the colour-blind tell apart. The
others were chosen one after the other, each as far as possible from all before it, also as people
see them who lack red or green cones.
"""

__all__ = [
    "ARBITERS",
    "CLASSES",
    "QUEUED",
    "TENANTS",
    "VIOLATION",
    "tenant_colour",
]


ARBITERS = {
    "alone": "#999999",
    "fcfs": "#d55e00",
    "round_robin": "#e69f00",
    "fixed_priority": "#cc79a7",
    "mcos": "#0072b2",
}
"""Colour of each run of a comparison, by its key in the result."""

CLASSES = {
    "conforming": "#009e73",
    "burst": "#f0e442",
    "scavenged": "#56b4e9",
    "none": "#000000",
}
"""Colour of each class of grants; ``none`` is a grant without one, which should not be."""

QUEUED = "#c9ced6"
"""Colour of the wait for a grant."""

VIOLATION = "#e8000b"
"""Colour of what breaks a rule, an objective or a mark."""

TENANTS = (
    "#6000fc",
    "#843c60",
    "#8478fc",
    "#cc009c",
    "#a80000",
    "#906048",
    "#2448cc",
    "#fc546c",
    "#e430e4",
    "#900c90",
    "#6c6090",
    "#6c4830",
    "#4884d8",
    "#788448",
    "#489cc0",
    "#f07800",
)
"""Colours of tenants; the first ones differ most."""


def tenant_colour(place: int) -> str:
    """Colour of a tenant by its place among those shown; they repeat after :data:`TENANTS`."""
    return TENANTS[place % len(TENANTS)]
