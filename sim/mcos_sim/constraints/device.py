"""Names of devices that a target can be built for."""

import dataclasses
import re
from collections.abc import Mapping

__all__ = [
    "FAMILIES",
    "Family",
    "device_mistake",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """Devices of one kind.

    Parameters
    ----------
    form : str
        A regular expression with groups ``part``, ``package`` and ``grade``, and an optional
        ``range`` of temperatures.
    example : str
        A name of the form.
    parts : tuple[str, ...]
        Parts.
    packages : tuple[str, ...]
        Packages; empty for any.
    grades : tuple[str, ...]
        Speed grades, the slowest first.
    """

    form: str
    example: str
    parts: tuple[str, ...]
    packages: tuple[str, ...]
    grades: tuple[str, ...]


FAMILIES: Mapping[str, Family] = {
    # Lattice FPGA-DS-02012, "Ordering Information"; the parts are those of nextpnr-ecp5.
    "ecp5": Family(
        form=r"(?P<part>LFE5\w+-\d+F)-(?P<grade>\d)(?P<package>[A-Z]+\d+)[CI]",
        example="LFE5U-85F-6BG381C",
        parts=(
            *(f"LFE5U-{size}F" for size in (12, 25, 45, 85)),
            *(f"LFE5UM-{size}F" for size in (25, 45, 85)),
            *(f"LFE5UM5G-{size}F" for size in (25, 45, 85)),
        ),
        packages=("TG144", "BG256", "MG285", "BG381", "BG554", "BG756"),
        grades=("6", "7", "8"),
    ),
    # Parts after AMD DS890; newer ones may be missing. The vendor's tool alone checks a package.
    "ultrascale+": Family(
        form=r"(?P<part>xc[a-z]+\d+\w*)-(?P<package>[a-z]+\d+)-(?P<grade>\d\w*?)-[eimq]",
        example="xczu7ev-ffvc1156-2-e",
        parts=(
            *(f"xcau{size}p" for size in (10, 15, 20, 25)),
            *(f"xcku{size}p" for size in (3, 5, 9, 11, 13, 15, 19)),
            *(f"xcvu{size}p" for size in (3, 5, 7, 9, 11, 13, 19, 23, 27, 29)),
            *(f"xcvu{size}p" for size in (31, 33, 35, 37, 45, 47, 57)),
            *(f"xcu{size}" for size in ("26", "30", "50", "55c", "200", "250", "280")),
            *(f"xczu{size}" for size in ("1cg", "2cg", "2eg", "3cg", "3eg", "4cg", "4eg", "4ev")),
            *(f"xczu{size}" for size in ("5cg", "5eg", "5ev", "6cg", "6eg", "7cg", "7eg", "7ev")),
            *(f"xczu{size}" for size in ("9cg", "9eg", "11eg", "15eg", "17eg", "19eg")),
        ),
        packages=(),
        grades=("1", "1L", "1LV", "2", "2L", "2LV", "3"),
    ),
}
"""Families by the name that targets have."""


def device_mistake(family: str, device: str) -> str | None:
    """What is wrong with the name of a device; None if it is one of the family.

    Parameters
    ----------
    family : str
        One of :data:`FAMILIES`.
    device : str
        The name, as vendors order it.
    """
    if family not in FAMILIES:
        return f"family must be one of {', '.join(FAMILIES)}, not {family!r}; choose one"
    known = FAMILIES[family]
    found = re.fullmatch(known.form, device)
    if found is None:
        return f"device must be a name of {family} such as {known.example}, not {device!r}"
    for what, names in (
        ("part", known.parts),
        ("grade", known.grades),
        ("package", known.packages),
    ):
        if names and found[what] not in names:
            return (
                f"the {what} of a device of {family} must be one of {', '.join(names)}, "
                f"not {found[what]} of {device!r}; choose one"
            )
    return None
