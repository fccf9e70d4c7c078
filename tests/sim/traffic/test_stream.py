import numpy as np
import pytest

from mcos_sim.traffic.stream import REQUEST, STEP, Stream


def stream(requests=4, steps=((0, 3, 0, 0), (3, 1, 0, 0)), window=1):
    return Stream(
        name="a",
        tag=0,
        window=window,
        closed=True,
        requests=np.zeros(requests, REQUEST),
        steps=np.array(list(steps), STEP),
    )


def test_steps_cover_requests():
    assert len(stream().steps) == 2


@pytest.mark.parametrize(
    "steps", [((0, 3, 0, 0),), ((0, 3, 0, 0), (2, 1, 0, 0)), ((0, 0, 0, 0), (0, 4, 0, 0))]
)
def test_steps_with_gaps_are_refused(steps):
    with pytest.raises(ValueError, match=r"^steps of 'a' must cover its 4 requests in order$"):
        stream(steps=steps)


def test_window_is_at_least_one():
    with pytest.raises(ValueError, match=r"^window of 'a' must be at least 1, not 0$"):
        stream(window=0)


def test_dtypes_are_checked():
    with pytest.raises(TypeError, match="must have dtypes REQUEST and STEP"):
        Stream(
            name="a",
            tag=0,
            window=1,
            closed=True,
            requests=np.zeros(0),
            steps=np.zeros(0, STEP),
        )
