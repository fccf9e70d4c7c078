"""Nothing is wrong in sound waveforms of any sizes, whole or with holes."""

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines.recording import row_words, rows_waveform
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.sides import ModelSide
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.rules import check_waveform

CLOCKS = 2_000


def random_config(rng: np.random.Generator) -> ChannelConfig:
    """Small tags and few slots more often than anybody has them."""
    beat_bytes = int(rng.choice((8, 32, 128)))
    return ChannelConfig(
        tenants=int(rng.choice((4, 8, 16))),
        queue_depth=int(rng.choice((2, 8, 16, 64))),
        beat_bytes=beat_bytes,
        max_beats=int(rng.choice((2, 16))),
        bytes_per_clock=beat_bytes * int(rng.choice((1, 2, 4))),
        id_width=int(rng.choice((6, 12))),
        slots=512,
        tag_fraction=int(rng.choice((8, 16, 20))),
        lateness=int(rng.integers(0, 4)),
    )


def waveform_of(seed: int) -> Waveform:
    """Of a channel of any sizes whose registers can hold the credit that cases ask for."""
    rng = np.random.default_rng(seed)
    arbiter = ArbiterKind(rng.choice([each.value for each in ArbiterKind]))
    if rng.random() < 0.7:
        arbiter = ArbiterKind.MCOS
    case = random_case(random_config(rng), arbiter=arbiter, seed=seed, clocks=CLOCKS)
    side = ModelSide(case)
    side.rest(FIRST_CLOCK)
    rows = np.zeros((CLOCKS, row_words(case.scenario)), dtype=np.uint64)
    images = [(each.clock, each.settings) for each in case.accepted]
    return rows_waveform(rows[: side.run(rows)], case.scenario, first=FIRST_CLOCK, images=images)


@pytest.mark.parametrize(
    "seeds",
    # 850, 1832: heads wait until virtual time has gone round. 1504: a commit shortens an interval.
    [(*range(12), 850, 1504, 1832), pytest.param(range(12, 2_000), marks=pytest.mark.soak)],
    ids=["few", "many"],
)
def test_nothing_is_wrong(seeds):
    for seed in seeds:
        waveform = waveform_of(seed)
        assert check_waveform(waveform) == ([], 0), seed
        shown = np.ones(len(waveform.clocks), dtype=bool)
        rng = np.random.default_rng(seed)
        for begin in rng.integers(0, len(shown), 10):
            shown[begin : begin + rng.integers(1, 9)] = False
        assert check_waveform(waveform.rows(shown)) == ([], 0), seed
