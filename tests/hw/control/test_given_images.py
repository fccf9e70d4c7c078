# amaranth: UnusedElaboratable=no
"""Two thousand images that hypothesis makes, all in one run: never a wrong commit."""

import json
import random
from pathlib import Path

import cocotb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mcos_hw.registers.image import ImageCode
from mcos_policy.image import verify
from mcos_sim.cosim.build import build
from mcos_sim.cosim.run_tests import parameters, run
from tests.hw.control.test_loader import (
    BEGIN,
    COMMIT,
    CONFIG,
    IDLE,
    LENGTH,
    Bench,
    LoaderHarness,
    good,
    put,
    sealed,
)

IMAGES = 2_000

WORD = st.integers(0, 2**32 - 1)
POSITION = st.integers(0, LENGTH - 1)
GOOD = st.integers(0, 2**32).map(lambda seed: good(random.Random(seed)))


@st.composite
def changed(draw):
    """A good image with some words replaced or bits flipped, sometimes sealed again."""
    words = list(draw(GOOD))
    for position in draw(st.lists(POSITION, min_size=1, max_size=4)):
        flipped = words[position] ^ 1 << draw(st.integers(0, 31))
        words[position] = draw(st.sampled_from((flipped, draw(WORD))))
    return sealed(words) if draw(st.booleans()) else words


@st.composite
def cut(draw):
    """A good image that ends early."""
    words = draw(GOOD)
    return words[: draw(POSITION)]


IMAGE = st.one_of(GOOD, changed(), changed(), cut(), st.lists(WORD, max_size=LENGTH))


@cocotb.test()
async def given_images(dut):
    """Loads every image, commits, and looks at the live registers."""
    bench = Bench(dut)
    await bench.reset()
    wait = [IDLE] * 2
    for number, words in enumerate(json.loads(Path(parameters()["images"]).read_text())):
        before, live = bench.model.generation, bench.model.live
        name = f"image {number}"
        await bench.play([BEGIN, *map(put, words), *wait, COMMIT, IDLE], name)
        verdict = verify(words, CONFIG)
        assert bench.model.code is verdict, f"{name}: {bench.model.code.name}, not {verdict.name}"
        assert bench.model.generation - before == (verdict is ImageCode.NONE), name
        # Committing what is live already shows no change.
        same = live is not None and bench.model.live == live
        bench.check_live(name, bench.model.generation if same else before)


@pytest.mark.cocotb
@pytest.mark.slow
def test_two_thousand_images_never_commit_wrongly(tmp_path):
    drawn = []

    @settings(
        max_examples=IMAGES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(IMAGE)
    def draw(words):
        drawn.append(words)

    draw()
    verdicts = [verify(words, CONFIG) for words in drawn]
    assert len(drawn) >= IMAGES
    assert len(set(verdicts)) >= 7
    assert verdicts.count(ImageCode.NONE) >= 100
    path = tmp_path / "images.json"
    path.write_text(json.dumps(drawn))
    run(
        build(LoaderHarness(), name="loader_harness"),
        test_module=__name__,
        directory=tmp_path,
        seed=1,
        parameters={"images": str(path)},
        timeout=180,
    )
