"""The project's own contracts, which come with the package."""

from pathlib import Path

__all__ = [
    "SAMPLES",
    "contract_path",
    "contract_words",
    "sample_words",
]


SAMPLES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}
"""Every sample contract by its name."""


def contract_path(text: str | Path) -> Path:
    """The file that a command line names: a file, or a sample where there is no such file.

    Parameters
    ----------
    text : str or Path
        A path, or a sample's name with or without ``.toml``.
    """
    path = Path(text)
    name = str(text).removesuffix(".toml")
    return SAMPLES[name] if name in SAMPLES and not path.exists() else path


def contract_words(path: Path) -> str:
    """What a command line calls a contract: a sample by its name, others by their path."""
    return path.stem if path in SAMPLES.values() else str(path)


def sample_words(name: str) -> str:
    """What a sample is of: the first sentence of its comment."""
    comment = []
    for line in SAMPLES[name].read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.removeprefix("#").strip())
    words = " ".join(comment)
    # A full stop inside a number ends nothing.
    return words.partition(". ")[0].removesuffix(".") + "."
