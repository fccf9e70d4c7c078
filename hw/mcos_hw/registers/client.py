"""The C drivers of a core and of movement engines, and an example of the first one's use."""

from importlib import resources

from mcos_hw.registers.image import ImageCode
from mcos_hw.registers.movement_codes import Operation, Outcome, Reason, Urgency

__all__ = [
    "c_client",
    "c_example",
    "c_movement",
]


_CODES = "@CODES@"


def c_client(*, name: str, header: str) -> str:
    """The driver of a core as a C99 header.

    It discovers the core, loads and commits images and reads the counters, through two functions
    that read and write a word. It needs the register header of the same core, and nothing else.

    Parameters
    ----------
    name : str
        What the names of the register header begin with; see
        :func:`mcos_hw.registers.export.c_header`.
    header : str
        File of the register header.
    """
    core = f"MCOS_CORE {name.upper()}"
    given = '#include "mcos_registers.h"\n'
    text = _text("mcos_client.h").replace(_CODES, "\n".join(_cases()))
    return text.replace(given, f'#include "{header}"\n\n#define {core}\n')


def c_example() -> str:
    """A program for Linux that uses the driver on memory that is mapped from a file."""
    return _text("mcos_example.c")


def c_movement() -> str:
    """The driver of movement engines as a C99 header.

    It needs ``mcos_movement_registers.h``, the register header of
    :func:`mcos_hw.registers.movement.movement_map` under the name ``mcos_movement``.
    """
    text = _text("mcos_movement.h")
    for place, codes in (
        ("@OPERATIONS@", Operation),
        ("@URGENCIES@", Urgency),
        ("@OUTCOMES@", Outcome),
    ):
        text = text.replace(
            place, ",\n".join(f"    MCOS_{each.name} = {each.value}" for each in codes)
        )
    reasons = [f'    case {each.value}: return "{each.meaning}";' for each in Reason]
    return text.replace("@REASONS@", "\n".join(reasons))


def _cases() -> list[str]:
    """A line of a C switch for each code."""
    return [
        f'    case MCOS_OF(IMAGE_STATUS__CODE__{code.name}, ): return "{code.meaning}";'
        for code in ImageCode
    ]


def _text(name: str) -> str:
    return (resources.files("mcos_hw.registers") / "c" / name).read_text(encoding="utf-8")
