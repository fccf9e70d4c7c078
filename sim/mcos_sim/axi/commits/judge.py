"""What a witness shows, held against what software has made live."""

import numpy as np

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig
from mcos_hw.link.request import Op
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_sim.axi.commits.generation import Generation
from mcos_sim.axi.witness import (
    columns,
    control_layout,
    fields_of,
    side_layout,
    witness_words,
)
from mcos_sim.engines.model import rest_until
from mcos_sim.environment import layout as env
from mcos_sim.lockstep.bursts import arrivals, fragments
from mcos_sim.lockstep.compare import values_of
from mcos_sim.lockstep.fabric import GIVEN, follow, given_places
from mcos_sim.model.channel import commit
from mcos_sim.model.probe import probe_places, probe_words
from mcos_sim.model.state import image_rows, reset_state
from mcos_sim.ported.ported_fabric import given_layout

__all__ = ["Judge"]


_NONE = -1

_BACKLOG = 256
"""Bursts of a direction between its tenant table and its last fragment, at most."""


class Judge:
    """Follows a fabric from reset on, and says what it finds wrong.

    - Commits: only a commit in STAGED makes something live, in the next clock. One that moves
      addresses or colours has no effect unless the fabric is drained, and its code is NOT_DRAINED.
    - Tag and answer: a burst has those of the rows that are live in the clock in which it passes
      the tenant table; its fragments, and their requests in the channel to which they were sent,
      have that tag whatever is committed meanwhile.
    - Everything else of a channel: the model of each channel has the same requests, and every
      image in the same clock; its probe must be the hardware's in every clock.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    rested : int
        Clocks since reset in which nothing was asked for and nobody looked.
    """

    def __init__(self, fabric: FabricConfig, *, rested: int = 0) -> None:
        self.fabric = fabric
        self.live: Generation | None = None
        """What is live."""
        self.staged: Generation | None = None
        """What the next commit that has effect makes live."""
        self.generation = 0
        """Commits that had effect."""
        self.not_drained = 0
        """Commits that were answered with NOT_DRAINED."""
        self.refused = np.zeros((len(fabric.ports), len(Op)), dtype=np.int64)
        """Bursts of each port and direction that the tables have answered with DECERR."""
        self.clock = rested
        """Clocks since reset."""
        self.requests = 0
        """Clocks in which a channel was offered a request."""
        config = fabric.channel
        self._states = [
            reset_state(config, ArbiterKind.MCOS, gated=False) for _ in range(fabric.channels)
        ]
        self._drives = [np.zeros(env.LANE, dtype=np.int64) for _ in range(fabric.channels)]
        for state, drive in zip(self._states, self._drives, strict=True):
            rest_until(state, drive, rested)
        self._places = probe_places(config), given_places(config)
        self._given_at = np.array(GIVEN, dtype=np.int64)
        self._control = fields_of(control_layout())
        self._side = fields_of(side_layout(fabric))
        given = given_layout(config)
        request = fields_of(given["request"].shape, offset=given["request"].offset)
        self._request = {
            **{name: request[name] for name in ("tenant", "op", "id")},
            "valid": fields_of(given)["request_valid"],
        }
        shown_words, given_words = probe_words(config), -(-given.size // 64)
        first = witness_words(fabric) - fabric.channels * (shown_words + given_words)
        second = first + fabric.channels * shown_words
        self._probes = [
            slice(first + shown_words * c, first + shown_words * (c + 1))
            for c in range(fabric.channels)
        ]
        self._givens = [
            slice(second + given_words * c, second + given_words * (c + 1))
            for c in range(fabric.channels)
        ]
        ports = len(fabric.ports)
        self._fifos = np.zeros((ports, len(Op), 1 + _BACKLOG, 2), dtype=np.int64)
        entries = 1 << fabric.entry_width
        self._holds = np.full((fabric.channels, ports, len(Op), entries, 2), _NONE, dtype=np.int64)

    def look(self, rows: np.ndarray) -> str:
        """Go on by some clocks; the first thing that is wrong, or nothing.

        The last of them must be a clock or more after the last commit among them. Nothing may be
        asked for up to the end of those with the first commit.
        """
        words = np.ascontiguousarray(rows.T)
        control = columns(words, self._control)
        first, lives = self._commits(control)
        segments = [(0, self.live), *lives]
        ends = [*(at for at, _ in lives), len(rows)]
        for (begin, live), end in zip(segments, ends, strict=True):
            for c, state in enumerate(self._states):
                if begin and live is not None:
                    commit(state, image_rows(live.of_channel(c)))
                if self.live is None:
                    # Nothing is asked for until the first image has settled.
                    rest_until(state, self._drives[c], self.clock + end)
                else:
                    first = first or self._channel(c, rows[begin:end], self.clock + begin)
        first = first or self._tables(words, segments, len(rows))
        self.live = segments[-1][1]
        self.clock += len(rows)
        return first

    def _commits(self, control: dict[str, np.ndarray]) -> tuple[str, list]:
        """What the loader does wrong, and the clocks from which on something else is live."""
        lives = []
        live = self.live
        generation = control["generation"]
        for k in np.flatnonzero(control["commit"] | control["live_next"]):
            staged = control["state"][k] == ImageState.STAGED and bool(control["commit"][k])
            moves = live is not None and self.staged is not None and self.staged.moves(live)
            takes = staged and (not moves or bool(control["drained"][k]))
            clock = self.clock + int(k)
            if bool(control["live_next"][k]) != takes:
                what = "must have effect" if takes else "must not have effect"
                return f"clock {clock}: a commit {what}", lives
            if takes:
                live = self.staged
                lives.append((int(k) + 1, live))
            elif staged:
                self.not_drained += 1
                if control["code"][k + 1] != ImageCode.NOT_DRAINED:
                    return f"clock {clock}: the code is not NOT_DRAINED", lives
                if control["state"][k + 1] != ImageState.STAGED:
                    return f"clock {clock}: the image is not staged any more", lives
        expected = np.full(len(generation), self.generation)
        for at, _ in lives:
            expected[at:] += 1
        wrong = np.flatnonzero(generation != expected)
        self.generation = int(expected[-1])
        if len(wrong):
            return f"clock {self.clock + int(wrong[0])}: another generation is live", lives
        return "", lives

    def _channel(self, c: int, rows: np.ndarray, begin: int) -> str:
        """Follow a channel while one image is live."""
        shown, given = rows[:, self._probes[c]], rows[:, self._givens[c]]
        mine = np.zeros(shown.shape, dtype=np.int64)
        places, given_at_rows = self._places
        done = int(
            follow(
                self._states[c],
                self._drives[c],
                places,
                self._given_at,
                given_at_rows,
                shown,
                given,
                mine,
            )
        )
        if done == len(rows):
            return ""
        values = values_of(shown[done], mine[done], self.fabric.channel)
        pairs = ", ".join(f"{name} {a} and not {b}" for name, (a, b) in list(values.items())[:4])
        return f"clock {begin + done}: channel {c} has {pairs}"

    def _tables(self, words: np.ndarray, segments: list, clocks: int) -> str:
        """Tags and answers of bursts, fragments and requests."""
        fabric = self.fabric
        lengths = [
            end - at
            for (at, _), end in zip(
                segments, [*(at for at, _ in segments[1:]), clocks], strict=True
            )
        ]
        index = np.repeat(np.arange(len(segments)), lengths)
        nobody = np.zeros((len(fabric.ports), 1 << max(p.id_width for p in fabric.ports), 2))
        nobody[:, :, 1] = Response.DECERR
        answers = np.stack(
            [nobody if live is None else live.answers(fabric) for _, live in segments]
        ).astype(np.int64)
        changes = np.full((clocks, len(fabric.ports), len(Op), 3), _NONE, dtype=np.int64)
        for port in range(len(fabric.ports)):
            for op in Op:
                seen = columns(words[1 + len(Op) * port + op :], self._side)
                expected = answers[index, port, seen["id"]]
                judged = (seen["taken"] != 0) & (seen["response"] != Response.SLVERR)
                self.refused[port, op] += int((judged & (seen["response"] != 0)).sum())
                wrong = judged & (expected[:, 1] != seen["response"])
                served = judged & (expected[:, 1] == 0)
                wrong |= served & (expected[:, 0] != seen["tenant"])
                if wrong.any():
                    k = int(np.argmax(wrong))
                    return (
                        f"clock {self.clock + k}: port {port} takes a {op.name.lower()} of ID "
                        f"{seen['id'][k]} as tenant {seen['tenant'][k]} with answer "
                        f"{seen['response'][k]}, not as {tuple(expected[k])}"
                    )
                held = np.empty((clocks, 3), dtype=np.int64)
                names = ("taken", "tenant", "response", "passes", "last", "carried", "refused")
                k = fragments(
                    *(seen[name] for name in (*names, "entry", "channel")),
                    self._fifos[port, op],
                    held,
                )
                if k >= 0:
                    return (
                        f"clock {self.clock + k}: a fragment of port {port} is not as its burst "
                        "passed the tenant table"
                    )
                changes[:, port, op] = held
        return self._requests(words, changes)

    def _requests(self, words: np.ndarray, changes: np.ndarray) -> str:
        """Requests that channels are offered."""
        fabric = self.fabric
        for c, givens in enumerate(self._givens):
            seen = columns(words[givens], self._request)
            self.requests += int(seen["valid"].sum())
            port = seen["id"] >> fabric.entry_width & (1 << fabric.port_width) - 1
            entry = seen["id"] & (1 << fabric.entry_width) - 1
            k = arrivals(
                seen["valid"], seen["tenant"], port, seen["op"], entry, changes, self._holds[c], c
            )
            if k >= 0:
                return f"clock {self.clock + k}: a request in channel {c} is not as its burst was"
        return ""
