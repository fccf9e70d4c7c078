"""``mcos`` as the reader of docs/waveform-tour.md runs it: the hardware has one mistake in it.

``python -m tests.tour run ...`` is ``mcos run ...``, but the verilated engine has the Verilog of
sources in which :data:`BUG` is planted, for four tenants. The sources on disk stay as they are, and
the model, which knows nothing of it, stays sound.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Generator, Sequence
from unittest import mock

from mcos_hw.config import ChannelConfig
from mcos_sim.cli import main
from mcos_sim.waves.rules import Rule
from tests.sim.waves.bugs import WAVEFORM_BUGS
from tests.sim.waves.planted_hardware import live_bug, planted_library

__all__ = [
    "BUG",
    "CONFIG",
    "planted",
]

RULE = Rule.TAG_PRICE
"""What the waveform shows of it."""

BUG = WAVEFORM_BUGS[RULE]
"""The longest request, of 16 beats, is priced as one of a single beat."""

CONFIG = ChannelConfig(tenants=4)
"""Sizes of the hardware: one build of it has this mistake and those of the tests."""


@contextlib.contextmanager
def planted(rule: Rule = RULE) -> Generator[None, None, None]:
    """Commands that begin now have hardware with a mistake."""
    from mcos_sim.commands import compile as compiling

    sound = compiling.compile_for

    def compile_for(*arguments, hardware, **options):
        hardware = dataclasses.replace(hardware, tenants=CONFIG.tenants)
        return sound(*arguments, hardware=hardware, **options)

    with (
        mock.patch.object(compiling, "compile_for", compile_for),
        mock.patch(
            "mcos_sim.engines.verilated.channel_library",
            lambda config, arbiter, *_: planted_library(config),
        ),
        live_bug(rule),
    ):
        yield


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command with the mistake in the hardware."""
    with planted():
        main(arguments)


if __name__ == "__main__":
    run(sys.argv[1:])
