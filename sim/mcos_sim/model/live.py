"""Places of the live image: of each field of the register map under its name in capitals."""

from mcos_sim.model.layout import LIVE

globals().update({name.upper(): place for name, place in LIVE.items()})


def __getattr__(name: str) -> int:
    raise AttributeError(f"an image has no field {name.lower()!r}")
