import pytest

from mcos_sim.errors import UserError
from mcos_sim.traffic.models import find_model


@pytest.mark.parametrize(
    ("name", "parameters", "kv_bytes"),
    [
        # Sizes of the published checkpoints; KV: 2 x 32 x 8 x 128 x 2 and 2 x 80 x 8 x 128 x 2.
        ("llama-3-8b", 8_030_261_248, 131_072),
        ("llama-3-70b", 70_553_706_496, 327_680),
    ],
)
def test_geometry_gives_the_published_sizes(name, parameters, kv_bytes):
    model = find_model(name)
    assert model.parameters == parameters
    assert model.weight_bytes == 2 * parameters
    assert model.kv_bytes_per_token == kv_bytes


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(
        UserError, match=r"^model must be one of llama-3-70b, llama-3-8b, not 'gpt'$"
    ):
        find_model("gpt")
