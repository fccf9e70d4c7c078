"""What all tests share: an option under which a skip is a failure, and fewer looks for garbage."""

import gc
from collections.abc import Generator

import pytest

# Elaborated hardware is many small objects that stay: looking through them takes half of the time.
gc.set_threshold(50_000, 20, 100)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a skip is a failure: for machines with every tool"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    wanted_to_fail = hasattr(report, "wasxfail")
    if report.skipped and not wanted_to_fail and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"no test may skip here: {report.longrepr}"
    return report
