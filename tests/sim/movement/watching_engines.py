"""The two sides of the DMA engine and the line beside their models, in each clock."""

from mcos_sim.movement import line, read_engine, write_engine
from mcos_sim.movement.fragments import Acknowledged, Fetch, Fragment, Returned
from mcos_sim.movement.jobs import Jobs, Piece, Settled
from tests.sim.movement.watching import JobsWatch, Watch, fields

__all__ = ["acknowledged", "fetch", "fragment", "returned", "watch_dma"]


def fragment(payload):
    """Of a fragment, what an engine says."""
    if payload is None:
        return None
    return Fragment(**{name: payload[name] for name in ("tenant", "address", "beats", "entry")})


def _arrived(payload):
    if payload is None:
        return None
    piece = Piece(**payload["piece"])
    if piece.fills:
        return read_engine.Arrived(piece=piece)
    return read_engine.Arrived(
        piece=piece,
        entry=payload["entry"],
        channel=payload.get("channel", 0),
        failed=bool(payload["failed"]),
    )


def returned(watch, name):
    """A beat that memory returns."""
    if not watch.get(f"{name}.valid"):
        return None
    return Returned(
        entry=watch.get(f"{name}.entry"),
        data=watch.get(f"{name}.data"),
        failed=watch.get(f"{name}.response") >= 2,
        last=bool(watch.get(f"{name}.last")),
    )


def fetch(watch, name):
    """A beat that memory fetches."""
    if not watch.get(f"{name}.stb"):
        return None
    return Fetch(entry=watch.get(f"{name}.entry"), last=bool(watch.get(f"{name}.last")))


def acknowledged(watch, name):
    """A fragment that memory has written."""
    if not watch.get(f"{name}.valid"):
        return None
    failed = watch.get(f"{name}.response") >= 2
    return Acknowledged(entry=watch.get(f"{name}.entry"), failed=failed)


class _ReadEngineWatch(Watch):
    """The read engine."""

    def step(self):
        """One clock: call it when all inputs of the clock are there."""
        piece = self.offered("pieces")
        find = None
        if self.get("beats.find"):
            find = read_engine.Beat(self.get("beats.entry"), self.get("beats.beat"))
        outputs = self.model.step(
            read_engine.Inputs(
                piece=Piece(**piece) if piece else None,
                read_ready=bool(self.get("reads.ready")),
                returned=[
                    returned(self, f"returned.{c}") for c in range(self.component.fabric.channels)
                ],
                arrived_ready=bool(self.get("arrived.ready")),
                find=find,
                read=bool(self.get("beats.read")),
                last=bool(self.get("beats.last")),
            )
        )
        if piece is not None:
            self.compare("pieces.ready", self.get("pieces.ready"), outputs.piece_ready)
        self.compare("reads", fragment(self.offered("reads")), outputs.fragment)
        self.compare("arrived", _arrived(self.offered("arrived")), outputs.arrived)
        if outputs.data is not None:
            self.compare("beats.data", self.get("beats.data"), outputs.data)
        self.clock += 1


class _LineWatch(Watch):
    """The line."""

    def step(self):
        """One clock: call it when all inputs of the clock are there."""
        outputs = self.model.step(
            line.Inputs(
                arrived=_arrived(self.offered("arrived")),
                stopped=self.get("stopped"),
                moved_ready=bool(self.get("moved.ready")),
                data=self.get("beats.data"),
            )
        )
        self.compare("arrived.ready", self.get("arrived.ready"), outputs.arrived_ready)
        find = None
        if self.get("beats.find"):
            find = read_engine.Beat(self.get("beats.entry"), self.get("beats.beat"))
        self.compare("beats.find", find, outputs.find)
        self.compare("beats.read", self.get("beats.read"), outputs.read)
        if outputs.read:
            self.compare("beats.last", self.get("beats.last"), outputs.last)
        moved = fields(outputs.moved)
        if moved is not None:
            del moved["checks"]
        self.compare("moved", self.offered("moved"), moved)
        dropped = None
        if self.get("dropped.stb"):
            dropped = Settled(self.get("dropped.number"), bool(self.get("dropped.failed")))
        self.compare("dropped", dropped, outputs.dropped)
        self.clock += 1


class _WriteEngineWatch(Watch):
    """The write engine."""

    def step(self):
        """One clock: call it when all inputs of the clock are there."""
        moved = self.offered("moved")
        channels = range(self.component.fabric.channels)
        outputs = self.model.step(
            write_engine.Inputs(
                moved=line.Moved(**moved) if moved else None,
                write_ready=bool(self.get("writes.ready")),
                fetch=[fetch(self, f"fetch.{c}") for c in channels],
                acknowledged=[acknowledged(self, f"acknowledged.{c}") for c in channels],
            )
        )
        if moved is not None:
            self.compare("moved.ready", self.get("moved.ready"), outputs.moved_ready)
        self.compare("writes", fragment(self.offered("writes")), outputs.fragment)
        for c, fetched in enumerate(outputs.fetched):
            if fetched is not None:
                self.compare(f"fetch.{c}.data", self.get(f"fetch.{c}.data"), fetched)
        written = None
        if self.get("written.stb"):
            written = Settled(self.get("written.number"), bool(self.get("written.failed")))
        self.compare("written", written, outputs.written)
        self.clock += 1


def watch_dma(bench, fabric, movement, channel_of, prefix=""):
    """Watches of all parts of a DMA engine: first that of its jobs. ``channel_of`` tells the
    channel of an address."""
    port = fabric.ports[0]
    read_model = read_engine.ReadEngine(fabric, port, channel_of)
    write_model = write_engine.WriteEngine(fabric, port, channel_of)
    return (
        JobsWatch(bench, Jobs(fabric, movement), f"{prefix}parts.job_table."),
        _ReadEngineWatch(bench, read_model, f"{prefix}parts.reads."),
        _LineWatch(bench, line.Line(), f"{prefix}parts.line."),
        _WriteEngineWatch(bench, write_model, f"{prefix}parts.writes."),
    )
