"""Software's side of a core: find it, give it an image, read what it counted."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.image import HEADER_WORDS, HeaderWord, ImageCode, ImageState
from mcos_policy.client.discovery import KNOWN_MAPS, MapOf, discover
from mcos_policy.client.error import ClientError
from mcos_policy.client.guard import Guard
from mcos_policy.client.metrics import Metrics, read_metrics
from mcos_policy.client.transport import Transport
from mcos_policy.image import Image, refusal

__all__ = [
    "Client",
    "Live",
    "Status",
]


_MOST_POLLS = 1_000
"""Reads of a register after which what it should show is not to come: checks take some clocks."""

_ATTEMPTS = 8
"""Times that the counters are read before their epoch is too short to read them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Status:
    """Where the loader is.

    Parameters
    ----------
    state : ImageState
        What it does.
    code : ImageCode
        Why it refused the last image or commit.
    received : int
        Words that it has taken of the image.
    """

    state: ImageState
    code: ImageCode
    received: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Live:
    """The image that is live.

    Parameters
    ----------
    generation : int
        Commits since reset; 0 if no image is live.
    label : int
        Its label.
    crc : int
        Its CRC-32.
    """

    generation: int
    label: int
    crc: int


class Client:
    """One core behind a transport.

    A refused image or commit changes nothing in the hardware: the image that was live stays live.
    ``last_good`` is the one that this client committed last, None before the first. ``guard`` says
    who owns the registers of several channels; None of a single one, whose registers nobody owns.

    Parameters
    ----------
    transport : Transport
        The way to its registers.
    config : ChannelConfig or None
        The sizes that it must have; None takes what its registers tell.
    names : Mapping[int, str] or None
        Name of each tenant by tag; ``Compiled.names`` of a contract.
    maps : Sequence[MapOf]
        The register maps that it may have.

    Raises
    ------
    ClientError
        If the core is not one that this software knows; see
        :func:`mcos_policy.client.discovery.discover`.
    """

    def __init__(
        self,
        transport: Transport,
        config: ChannelConfig | None = None,
        *,
        names: Mapping[int, str] | None = None,
        maps: Sequence[MapOf] = KNOWN_MAPS,
    ) -> None:
        self.transport = transport
        self.core = discover(transport, config, maps=maps)
        self.registers = self.core.registers
        self.names = dict(names or {})
        self.last_good: Image | None = None
        self.guard: Guard | None = None
        if self.registers.windows > 1:
            self.guard = Guard(self.read, self.write)

    def read(self, name: str, index: int = 0) -> dict[str, int]:
        """The fields of a register, or of an element of an array."""
        register = self.registers[name]
        return register.unpack(self.transport.read32(register.offset + 4 * index))

    def read_channel(self, channel: int, name: str, index: int = 0) -> dict[str, int]:
        """The same of a register that each of several channels has.

        Raises
        ------
        IndexError
            If there is no such channel.
        """
        file = self.registers.file
        if file is None:
            raise IndexError(f"channel must be one of several, not {channel!r} of a single one")
        register = file.of(name, channel)
        return register.unpack(self.transport.read32(register.offset + 4 * index))

    def write(self, name: str, **fields: int) -> None:
        """Write a register; fields that are not named are 0."""
        register = self.registers[name]
        self.transport.write32(register.offset, register.pack(**fields))

    def status(self) -> Status:
        """Where the loader is."""
        fields = self.read("IMAGE_STATUS")
        return Status(
            state=ImageState(fields["state"]),
            code=ImageCode(fields["code"]),
            received=fields["received"],
        )

    def live(self) -> Live:
        """Which image is live."""
        return Live(
            generation=self.read("GENERATION")["commits"],
            label=self.read("LIVE_LABEL")["label"],
            crc=self.read("LIVE_CRC")["crc"],
        )

    def stage(self, image: Image) -> None:
        """Give the core an image and wait for its verdict; a good one waits for the commit.

        Raises
        ------
        ClientError
            If it is refused or not whole; ``code`` says why. If another window owns the registers.
        """
        self._require_mine()
        self.write("IMAGE_CONTROL", begin=1)
        for word in image.words:
            self.write("IMAGE_DATA", word=word)
        for _ in range(_MOST_POLLS):
            status = self.status()
            if status.state is not ImageState.CHECKING:
                break
        if status.state is not ImageState.STAGED:
            raise self._refused("the core must stage the image", status, image)

    def commit(self) -> Live:
        """Make the staged image live.

        Raises
        ------
        ClientError
            If none is staged; ``code`` says so. If another window owns the registers.
        """
        self._require_mine()
        before = self.live().generation
        self.write("IMAGE_CONTROL", commit=1)
        for _ in range(_MOST_POLLS):
            live, status = self.live(), self.status()
            if live.generation != before:
                return live
            if status.code is not ImageCode.NONE:
                break
        raise self._refused("the core must take the commit", status, None)

    def load(self, image: Image) -> Live:
        """Stage an image, commit it, and see that it is the one that is live.

        Raises
        ------
        ClientError
            If it is refused, or another image is live afterwards.
        """
        self.stage(image)
        live = self.commit()
        if live.crc != image.crc:
            raise ClientError(
                f"register LIVE_CRC must read {image.crc:#010x}, that of the image",
                f"{live.crc:#010x}",
                "let no other program load images meanwhile, and load it again",
            )
        self.last_good = image
        return live

    def _require_mine(self) -> None:
        if self.guard is not None:
            self.guard.require_mine()

    def _refused(self, rule: str, status: Status, image: Image | None) -> ClientError:
        """Why an image or a commit was refused; what the hardware says counts."""
        code, live = status.code, self.live()
        one = self.core.channels == 1
        told = refusal(image.words, self.core.config) if image is not None and one else None
        value = f"refuse it with code {code.value}, {code.name}"
        if code is ImageCode.NONE:
            value = f"stop in state {status.state.name} with {status.received} words"
            if image is not None and len(image.words) >= HEADER_WORDS:
                value += f" of the {image.words[HeaderWord.WORDS]} that its header tells"
            code = ImageCode.TRUNCATED if status.state is ImageState.RECEIVING else code
        if told is not None and told.code is code:
            why = told.text
        elif image is None:
            why = f"{_clause(code)}; stage a whole image first"
        else:
            why = f"{_clause(code)}; compile the contract for this core and load it again"
        kept = f"generation {live.generation} stays live" if live.generation else "no image is live"
        return ClientError(rule, value, f"{why}; {kept}", code=code)

    def epoch(self) -> int:
        """Number of the epoch that ended last; 0 if none has."""
        return self.read("EPOCH")["epoch"]

    def metrics(self, ahead: Callable[[], None] | None = None) -> Metrics:
        """What the core counted in the epoch that ended last, all of one epoch.

        Parameters
        ----------
        ahead : Callable[[], None] or None
            Called before each attempt, for a transport that reads many registers at once.

        Raises
        ------
        ClientError
            If the core was built without counters, or an epoch is too short to read them in.
        """
        if not self.core.config.monitors:
            raise ClientError(
                "the core must have counters", "be built without", "build it without --no-monitors"
            )
        for _ in range(_ATTEMPTS):
            if ahead is not None:
                ahead()
            metrics = read_metrics(self.core, self.read, self.names, self.read_channel)
            if self.epoch() == metrics.epoch:
                return metrics
        raise ClientError(
            "an epoch must last while its counters are read",
            f"end in each of {_ATTEMPTS} attempts, with {metrics.epoch_clocks} clocks",
            "lengthen the epoch of the contract",
        )


def _clause(code: ImageCode) -> str:
    """The meaning of a code, to go on with."""
    meaning = code.meaning.removesuffix(".")
    return meaning[0].lower() + meaning[1:]
