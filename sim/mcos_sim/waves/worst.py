"""The request of a run that a percentile of latencies points at."""

import dataclasses
import math
import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from mcos_sim.errors import UserError
from mcos_sim.scenario import FIRST_CLOCK, RunResult

__all__ = [
    "MARGIN_CLOCKS",
    "LateRequest",
    "Percentile",
    "late_request",
]


MARGIN_CLOCKS = 64
"""Clocks of a window before the request is offered, and after it is answered."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Percentile:
    """Which request is wanted: ``worst:p99.9``, or of one tenant ``worst:p99.9:decode-a``."""

    percent: Fraction
    tenant: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Percentile":
        """Read the text of an option.

        Raises
        ------
        UserError
            If it is not of that form, or the percentile is not over 0 and at most 100.
        """
        match = re.fullmatch(r"worst:p(\d{1,3}(?:\.\d{1,12})?)(?::(.+))?", text)
        percent = Fraction(match[1]) if match else Fraction(0)
        if match is None or not 0 < percent <= 100:
            raise UserError(
                "--record must be violation, or worst:pN with N over 0 and at most 100, not "
                f"{text!r}; for example worst:p99.9, or worst:p99.9:decode-a for one tenant"
            )
        return cls(percent=percent, tenant=match[2])

    def require_tenant(self, names: Sequence[str]) -> None:
        """Check that the tenant is one that asks for something.

        Raises
        ------
        UserError
            If it has not.
        """
        if self.tenant is not None and self.tenant not in names:
            raise UserError(
                f"--record must name a tenant that asks for something, not {self.tenant!r}; "
                f"choose one of {', '.join(names)}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class LateRequest:
    """A request and its clocks.

    Parameters
    ----------
    tenant : str
        Whose it is.
    index : int
        Its position in the stream.
    offered, granted, completed : int
        Clocks.
    requests : int
        Of how many it was chosen.
    """

    tenant: str
    index: int
    offered: int
    granted: int
    completed: int
    requests: int

    @property
    def latency(self) -> int:
        """Clocks from offer to answer."""
        return self.completed - self.offered

    def window(self, clocks: int) -> tuple[int, int]:
        """First clock, and the clock after the last, of what is worth seeing of a run."""
        first = max(FIRST_CLOCK, self.offered - MARGIN_CLOCKS)
        return first, min(clocks, self.completed + MARGIN_CLOCKS)


def late_request(result: RunResult, wanted: Percentile) -> LateRequest:
    """The request whose latency is the percentile of all answered ones, by nearest rank.

    Raises
    ------
    UserError
        If there is no such tenant, or nothing was answered.
    """
    names = [tenant.name for tenant in result.tenants]
    wanted.require_tenant(names)
    latencies, owners, indices = [], [], []
    for place, tenant in enumerate(result.tenants):
        if wanted.tenant not in (None, tenant.name):
            continue
        answered = np.flatnonzero(tenant.completed >= 0)
        latencies.append(tenant.completed[answered] - tenant.offered[answered])
        owners.append(np.full(len(answered), place))
        indices.append(answered)
    every = np.concatenate(latencies)
    if not len(every):
        raise UserError("--record needs an answered request, and there is none; run longer")
    order = np.argsort(every, kind="stable")
    chosen = order[math.ceil(wanted.percent / 100 * len(every)) - 1]
    tenant = result.tenants[int(np.concatenate(owners)[chosen])]
    index = int(np.concatenate(indices)[chosen])
    return LateRequest(
        tenant=tenant.name,
        index=index,
        offered=int(tenant.offered[index]),
        granted=int(tenant.granted[index]),
        completed=int(tenant.completed[index]),
        requests=len(every),
    )
