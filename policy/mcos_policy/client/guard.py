"""Who may write to a core: claims, releases and takeovers of its registers."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Protocol

from mcos_hw.registers.guard import GUARD_KEY
from mcos_policy.client.error import ClientError

__all__ = [
    "Guard",
    "Ownership",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ownership:
    """Who owns the registers of a core.

    Parameters
    ----------
    owner : int or None
        Address window of the owner; None if there is none.
    window : int
        Address window through which this was read: our own.
    faults : int
        Writes that the guard has refused since reset.
    """

    owner: int | None
    window: int
    faults: int

    @property
    def may_write(self) -> bool:
        """Whether a write through our window is let through."""
        return self.owner in (None, self.window)


class _Write(Protocol):
    def __call__(self, name: str, **fields: int) -> None: ...


class Guard:
    """The guard of a core, seen through one address window.

    Everything is judged from what registers read: a write that hardware refuses is answered with a
    bus error, which a processor may never tell.

    Parameters
    ----------
    read : Callable
        Gives the fields of a register.
    write : Callable
        Writes fields of a register.
    """

    def __init__(self, read: Callable[[str], Mapping[str, int]], write: _Write) -> None:
        self._read = read
        self._write = write

    def ownership(self) -> Ownership:
        """Who owns the registers now."""
        fields = self._read("GUARD")
        return Ownership(
            owner=fields["owner"] if fields["owned"] else None,
            window=fields["window"],
            faults=self._read("GUARD_FAULTS")["count"],
        )

    def require_mine(self) -> None:
        """See that a write is let through.

        Raises
        ------
        ClientError
            If somebody else owns the registers.
        """
        now = self.ownership()
        if not now.may_write:
            raise ClientError(
                f"the registers must be owned by address window {now.window}, our own, or by none",
                f"by window {now.owner}",
                "let its software release them, or take them over through window 0",
            )

    def claim(self) -> None:
        """Own the registers; nothing changes if they are ours already.

        Raises
        ------
        ClientError
            If somebody else owns them.
        """
        self.require_mine()
        self._write("GUARD_CLAIM", claim=1)
        # Another one may have claimed in between.
        self._require_owned()

    def release(self) -> None:
        """Leave the registers without an owner.

        Raises
        ------
        ClientError
            If somebody else owns them.
        """
        self.require_mine()
        self._write("GUARD_RELEASE", release=1)

    def take_over(self) -> None:
        """Own the registers, whoever did; only through address window 0.

        Raises
        ------
        ClientError
            If our window is another one.
        """
        window = self.ownership().window
        if window:
            raise ClientError(
                "the registers must be taken over through address window 0",
                str(window),
                "map window 0, which is the operating system's",
            )
        self._write("GUARD_TAKEOVER", key=GUARD_KEY)
        self._require_owned()

    def _require_owned(self) -> None:
        """See that a claim or a takeover was not in vain."""
        now = self.ownership()
        if now.owner != now.window:
            raise ClientError(
                f"the registers must be owned by address window {now.window} after its claim",
                "by none" if now.owner is None else f"by window {now.owner}",
                "try again; if nobody ever owns them, writes do not arrive",
            )
