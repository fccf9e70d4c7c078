"""Contract texts and files, and the option that refreshes golden images."""

from collections.abc import Callable
from pathlib import Path

import pytest

BASE = """\
[fabric]
channels = 8

[[tenant]]
name = "a"
tag = 3

[tenant.bandwidth]
guaranteed = "40 GB/s"
burst = "400 GB/s"
burst_duration = "2 ms"

[[tenant]]
name = "b"

[tenant.bandwidth]
guaranteed_gbps = 80
burst_gbps = 160.5
burst_duration_ms = 1.5
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the images in tests/policy/golden, and the keys in docs/contract.md",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden", default=False))


@pytest.fixture
def base() -> str:
    """A good contract: every table, both spellings, one tag given."""
    return BASE


@pytest.fixture
def contract_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a contract and gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "c.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
