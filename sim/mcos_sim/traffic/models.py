"""Model geometries: what decides how many bytes a token costs."""

import dataclasses

from mcos_sim.errors import UserError

__all__ = [
    "MODELS",
    "ModelGeometry",
    "find_model",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelGeometry:
    """Sizes of a dense decoder-only transformer with grouped-query attention and gated MLPs.

    Parameters
    ----------
    name : str
        Name on the command line.
    layers, hidden, intermediate, heads, kv_heads, head_dim, vocabulary : int
        As in the model's published configuration.
    bytes_per_element : int
        Bytes of one weight and of one KV element.
    channels : int
        Memory channels it is served from unless told otherwise.
    source : str
        Where the sizes are published.
    """

    name: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    bytes_per_element: int
    channels: int
    source: str

    @property
    def parameters(self) -> int:
        """Weights: input and output embeddings, attention, gated MLP, norms."""
        attention = 2 * self.hidden * self.head_dim * (self.heads + self.kv_heads)
        mlp = 3 * self.hidden * self.intermediate
        norms = 2 * self.hidden
        return (
            2 * self.vocabulary * self.hidden
            + self.layers * (attention + mlp + norms)
            + self.hidden
        )

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights."""
        return self.parameters * self.bytes_per_element

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of K and V of one token: 2 x layers x kv_heads x head_dim x bytes."""
        return 2 * self.layers * self.kv_heads * self.head_dim * self.bytes_per_element


_GEOMETRIES = (
    ModelGeometry(
        name="llama-3-8b",
        layers=32,
        hidden=4096,
        intermediate=14336,
        heads=32,
        kv_heads=8,
        head_dim=128,
        vocabulary=128_256,
        bytes_per_element=2,
        channels=96,
        source="arXiv:2407.21783 table 3; config.json of meta-llama/Meta-Llama-3-8B, bfloat16",
    ),
    ModelGeometry(
        name="llama-3-70b",
        layers=80,
        hidden=8192,
        intermediate=28672,
        heads=64,
        kv_heads=8,
        head_dim=128,
        vocabulary=128_256,
        bytes_per_element=2,
        channels=768,
        source="arXiv:2407.21783 table 3; config.json of meta-llama/Meta-Llama-3-70B, bfloat16",
    ),
)

MODELS = {geometry.name: geometry for geometry in _GEOMETRIES}
"""Known models by name."""


def find_model(name: str) -> ModelGeometry:
    """Model of that name.

    Raises
    ------
    UserError
        If no model has that name; the text lists those that exist.
    """
    if name not in MODELS:
        raise UserError(f"model must be one of {', '.join(sorted(MODELS))}, not {name!r}")
    return MODELS[name]
