"""Keys that a table does not have but people write, and the keys that they mean."""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping

from mcos_policy.units import Quantity

__all__ = [
    "Meant",
    "meant_key",
]


_SLIP, _NEAR, _DISTANT = 0.9, 0.75, 0.6
"""Likeness to a known key: with one wrong letter, of a probable match, and of the weakest match."""

_BITS_AND_BYTES = "gbps in a contract's keys means GB/s, bytes, eight times as much as Gbit/s"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meant:
    """The meaning of an unknown key.

    Parameters
    ----------
    name : str or None
        The first spelling of the key that is meant; None for a key of another table.
    way_out : str
        What to write.
    """

    name: str | None
    way_out: str


def meant_key(
    key: str,
    value: object,
    *,
    names: Mapping[str, str],
    units: Mapping[str, str],
    quantities: Mapping[str, Quantity],
    elsewhere: Mapping[str, str],
) -> Meant | None:
    """The meaning of an unknown key; None if it resembles no known one.

    Parameters
    ----------
    key : str
        The key.
    value : object
        Its value.
    names : Mapping[str, str]
        The first spelling of each key of the table, by each of its spellings.
    units : Mapping[str, str]
        Units of spellings that take a bare number.
    quantities : Mapping[str, Quantity]
        Kinds of quantities by first spelling.
    elsewhere : Mapping[str, str]
        What to write for keys of other tables.
    """
    for stem, suffix in _divided(key):
        name = names.get(stem) or _near(stem, names, quantities)
        if name is not None and name in quantities:
            way_out = _with_unit(name, suffix, value, quantities[name])
            if way_out is not None:
                return Meant(name=name, way_out=way_out)
    slip = difflib.get_close_matches(key.lower(), names, n=1, cutoff=_SLIP)
    for stem, _ in reversed(list(_divided(key))):
        name = names.get(stem)
        if name is not None and name in quantities and not slip:
            quantity = quantities[name]
            way_out = f'did you mean {name}, {quantity.noun} such as "{quantity.example}"?'
            return Meant(name=name, way_out=way_out)
    near = difflib.get_close_matches(key.lower(), names, n=1, cutoff=_NEAR)
    if not near and key in elsewhere:
        return Meant(name=None, way_out=elsewhere[key])
    near = near or difflib.get_close_matches(key.lower(), names, n=1, cutoff=_DISTANT)
    near = near or [name for name in names if key.lower() in name.split("_")][:1]
    if not near:
        return None
    unit = f", in {units[near[0]]}" if near[0] in units else ""
    return Meant(name=names[near[0]], way_out=f"did you mean {near[0]}{unit}?")


def _divided(key: str) -> Iterator[tuple[str, str]]:
    """Divide a key into a name and a unit behind it, in every way, the longest unit first."""
    parts = key.split("_")
    for count in range(1, len(parts)):
        yield "_".join(parts[:count]).lower(), "_".join(parts[count:])


def _near(stem: str, names: Mapping[str, str], quantities: Mapping[str, Quantity]) -> str | None:
    """The quantity whose name has the words of a stem, or is spelt like it."""
    known = [name for name in dict.fromkeys(names.values()) if name in quantities]
    by_word = [name for name in known if set(stem.split("_")) <= set(name.split("_"))]
    near = by_word or difflib.get_close_matches(stem, known, n=1, cutoff=_NEAR)
    return near[0] if near else None


def _with_unit(name: str, suffix: str, value: object, quantity: Quantity) -> str | None:
    """The line to write for a key that ends in a unit; None if the suffix is not a unit."""
    spelt = suffix.replace("_", "/")
    if quantity.respelled(1, spelt) is None:
        return None
    if isinstance(value, str):
        return f"write {name} = {value!r}".replace("'", '"')
    respelled = quantity.respelled(value, spelt, key=name)
    if respelled is None:
        return f'write {name} = "{quantity.example}" or such'
    per_second = "/s" in respelled
    return f"{_BITS_AND_BYTES}; {respelled}" if per_second and " or " in respelled else respelled
