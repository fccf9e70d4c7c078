"""Where the shared inputs (real traces, memory oracle) are, if they are on this computer."""

import os
from pathlib import Path

__all__ = [
    "shared_path",
]


REPOSITORY = Path(__file__).resolve().parents[2]


def shared_path(*parts: str) -> Path | None:
    """Path of a shared input, or None where it is absent.

    The folder is ``MCOS_SHARED``, by default ``../shared``; a relative one counts from the root of
    the repository.

    Parameters
    ----------
    *parts : str
        Names below the folder, as in ``shared_path("traces", "README.md")``.
    """
    path = REPOSITORY.joinpath(os.environ.get("MCOS_SHARED") or "../shared", *parts)
    return path if path.exists() else None
