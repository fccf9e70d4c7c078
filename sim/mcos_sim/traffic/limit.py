"""How many memory requests a run may have."""

from mcos_sim.errors import UserError

__all__ = [
    "MAX_REQUESTS",
    "require_few",
]


MAX_REQUESTS = 20_000_000
"""Most memory requests of a run, of all tenants together."""


def require_few(who: str, requests: int, way_out: str) -> None:
    """Refuse more memory requests than fit in memory and time.

    Parameters
    ----------
    who : str
        What asks for them.
    requests : int
        How many they are.
    way_out : str
        What to do about too many.

    Raises
    ------
    UserError
        If there are more than :data:`MAX_REQUESTS`.
    """
    if requests > MAX_REQUESTS:
        raise UserError(
            f"{who} must ask for at most {MAX_REQUESTS:,} memory requests, not {requests:,}; "
            f"{way_out}"
        )
