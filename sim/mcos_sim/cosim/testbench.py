"""The cocotb bench: requesters on one side of a controller, a memory on the other.

Everything happens at the falling edge. By then the outputs of the clock that began with the
rising edge have settled, and what is driven is taken at the next rising edge, so one wake-up a
clock both watches and drives.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from amaranth.lib import data
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import command_layout, request_layout, response_layout
from mcos_hw.registers import CORE_MAGIC, CORE_VERSION, channel_map
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_sim.cosim.harness import observed_layout, stimulus_layout
from mcos_sim.cosim.requester import Requester
from mcos_sim.memory.memory import MemoryPort

__all__ = [
    "Checker",
    "Ingress",
    "Registers",
    "Testbench",
]


NEVER = 1 << 62
"""A clock that no run reaches."""


class Registers:
    """Driver of the controller's registers over AXI4-Lite; every access must be answered OKAY.

    Parameters
    ----------
    dut
        Harness.
    config : ChannelConfig
        Sizes.
    """

    def __init__(self, dut, config: ChannelConfig) -> None:
        self.map = channel_map(config)
        logging.getLogger(f"cocotb.{dut._name}.s_axil_").setLevel(logging.WARNING)
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_"), dut.clk, dut.rst)

    async def read(self, name: str, index: int = 0) -> int:
        """The word of a register."""
        register = self.map[name]
        answer = await self.master.read(register.offset + 4 * index, 4)
        _require_okay(name, answer.resp)
        return int.from_bytes(answer.data, "little")

    async def read_array(self, name: str) -> list[int]:
        """All words of a register array."""
        register = self.map[name]
        answer = await self.master.read(register.offset, register.size)
        _require_okay(name, answer.resp)
        return [
            int.from_bytes(answer.data[4 * i : 4 * i + 4], "little") for i in range(register.count)
        ]

    async def write(self, name: str, word: int) -> None:
        """Writes the word of a register."""
        answer = await self.master.write(self.map[name].offset, word.to_bytes(4, "little"))
        _require_okay(name, answer.resp)

    async def identify(self) -> None:
        """Refuses hardware that is not what this software was made for.

        Raises
        ------
        AssertionError
            If the core, its interface version or its register map is another.
        """
        expected = {
            "CORE": CORE_MAGIC,
            "CORE_VERSION": self.map["CORE_VERSION"].pack(
                **dict(zip(("major", "minor", "patch"), CORE_VERSION, strict=True))
            ),
            "MAP_HASH": self.map.hash,
        }
        for name, word in expected.items():
            found = await self.read(name)
            assert found == word, f"register {name} must read {word:#010x}, not {found:#010x}"

    async def status(self) -> tuple[ImageState, ImageCode]:
        """State of the loader and the code of its last refusal."""
        fields = self.map["IMAGE_STATUS"].unpack(await self.read("IMAGE_STATUS"))
        return ImageState(fields["state"]), ImageCode(fields["code"])

    async def load(self, words: Sequence[int]) -> tuple[ImageState, ImageCode]:
        """Offers an image and waits until it is staged or refused, or is still incomplete."""
        control = self.map["IMAGE_CONTROL"]
        await self.write("IMAGE_CONTROL", control.pack(begin=1))
        for word in words:
            await self.write("IMAGE_DATA", word)
        state, code = await self.status()
        while state is ImageState.CHECKING:
            state, code = await self.status()
        return state, code

    async def commit(self) -> tuple[ImageState, ImageCode]:
        """Commits what is staged."""
        await self.write("IMAGE_CONTROL", self.map["IMAGE_CONTROL"].pack(commit=1))
        return await self.status()


class Ingress:
    """Driver of the request port: of all requests that can be taken, the one offered first.

    Parameters
    ----------
    requesters : Sequence[Requester]
        Who offers.
    """

    def __init__(self, requesters: Sequence[Requester]) -> None:
        self.requesters = requesters

    def next(self, ready: int, clock: int) -> int | None:
        """The packed request to drive in a clock, given whose queues take one, or None."""
        first, chosen = None, None
        for requester in self.requesters:
            if requester.pending and ready >> requester.tag & 1:
                stamp = requester.pending[0][0]
                if first is None or stamp < first:
                    first, chosen = stamp, requester
        if chosen is None:
            return None
        chosen.taken.append(clock)
        return chosen.pending.popleft()[1]


class Checker:
    """Model of what must come out of the memory port: every tenant's requests, in its order.

    Parameters
    ----------
    requesters : Sequence[Requester]
        Who asks.
    config : ChannelConfig
        Sizes.

    Attributes
    ----------
    granted : dict[int, list[int]]
        Clock in which each request was granted, by tenant tag and position.
    classes : dict[int, list[int]]
        Class of each grant, likewise.
    """

    def __init__(self, requesters: Sequence[Requester], config: ChannelConfig) -> None:
        self._by_tag = {requester.tag: requester for requester in requesters}
        self.granted: dict[int, list[int]] = {tag: [] for tag in self._by_tag}
        self.classes: dict[int, list[int]] = {tag: [] for tag in self._by_tag}
        self._commands = dict.fromkeys(self._by_tag, 0)
        command, request = command_layout(config), request_layout(config)
        # Direction, address and length lie side by side in both layouts.
        width = 1 + config.address_width + config.beats_width
        self._mask = (1 << width) - 1
        self._command_offset = command["op"].offset
        self._request_offset = request["op"].offset
        self._tenant_offset = command["tenant"].offset
        self._tenant_mask = (1 << config.tenant_width) - 1

    def grant(self, tag: int, grant_class: int, clock: int) -> None:
        """Notes a grant of ``clock`` and as what it was made.

        Raises
        ------
        AssertionError
            If its tenant has offered nothing more.
        """
        assert tag in self._by_tag, f"clock {clock}: a grant to tenant {tag}, which asks nothing"
        requester, granted = self._by_tag[tag], self.granted[tag]
        assert len(granted) < len(requester.offered), (
            f"clock {clock}: grant {len(granted)} to {requester.stream.name!r}, "
            f"which offered {len(requester.offered)} requests"
        )
        granted.append(clock)
        self.classes[tag].append(grant_class)

    def command(self, word: int, clock: int) -> int:
        """Checks a packed command that comes to the port in ``clock``; returns its bytes.

        Raises
        ------
        AssertionError
            If it is not its tenant's next request, or not granted before.
        """
        tag = word >> self._tenant_offset & self._tenant_mask
        assert tag in self._by_tag, f"clock {clock}: a command of tenant {tag}, which asks nothing"
        requester = self._by_tag[tag]
        index = self._commands[tag]
        assert index < len(self.granted[tag]), (
            f"clock {clock}: command {index} of {requester.stream.name!r}, "
            f"which was granted {len(self.granted[tag])} requests"
        )
        expected = requester.word(index) >> self._request_offset & self._mask
        found = word >> self._command_offset & self._mask
        assert found == expected, (
            f"clock {clock}: command {index} of {requester.stream.name!r} must carry "
            f"{expected:#x}, not {found:#x}"
        )
        self._commands[tag] += 1
        return requester.sizes[index]


def _require_okay(name: str, answer: AxiResp) -> None:
    assert answer is AxiResp.OKAY, f"register {name} must answer OKAY, not {AxiResp(answer).name}"


def _never() -> Iterator[bool]:
    while True:
        yield False


class Testbench:
    """Wires driver, monitor, model and memory around a harness.

    Parameters
    ----------
    dut
        Harness, as cocotb shows it.
    config : ChannelConfig
        Sizes.
    requesters : Sequence[Requester]
        Who asks.
    memory : MemoryPort
        Who serves.
    offer_pause, command_pause : Iterator[bool] or None
        For each clock, whether nothing is offered, and whether the memory port is not ready.
    """

    def __init__(
        self,
        dut,
        config: ChannelConfig,
        *,
        requesters: Sequence[Requester],
        memory: MemoryPort,
        offer_pause: Iterator[bool] | None = None,
        command_pause: Iterator[bool] | None = None,
    ) -> None:
        self.dut = dut
        self.config = config
        self.requesters = requesters
        self.memory = memory
        self.ingress = Ingress(requesters)
        self.checker = Checker(requesters, config)
        self.registers = Registers(dut, config)
        self.clock = 0
        """Clocks since reset, equal to the channel's stamp modulo its width."""
        self.done = False
        """Whether every requester has its last response."""
        self._offer_pause = offer_pause or _never()
        self._command_pause = command_pause or _never()
        self._falling = FallingEdge(dut.clk)
        self._waiting: tuple[int | None, int] = None, 0  # command at the port and its bytes

    async def reset(self) -> None:
        """Starts the clock and resets the design."""
        Clock(self.dut.clk, 10, "ns").start()
        self.dut.stimulus.value = 0
        self.dut.rst.value = 1
        for _ in range(3):
            await self._falling
        self.dut.rst.value = 0

    async def load(self, words: Sequence[int]) -> None:
        """Loads and commits an image before any traffic.

        To load one beside traffic, use :attr:`registers` in a task that runs beside :meth:`run`.

        Raises
        ------
        AssertionError
            If the hardware is unknown or refuses it, or a request is outstanding.
        """
        for requester in self.requesters:
            assert not requester.outstanding, (
                f"{requester.stream.name!r} must wait for nothing while an image is loaded, "
                f"not for {requester.outstanding} responses"
            )
        await self.registers.identify()
        state, code = await self.registers.load(words)
        assert state is ImageState.STAGED, f"the image must be staged, not {state.name} {code.name}"
        state, code = await self.registers.commit()
        assert code is ImageCode.NONE, f"the commit must be taken, not refused as {code.name}"
        await self._falling
        elapsed = int(self.dut.now.value) - self.clock
        self.clock += elapsed % (1 << self.config.stamp_width)

    async def wait(self, clock: int) -> None:
        """Waits for a clock, before any traffic.

        Raises
        ------
        AssertionError
            If it is past.
        """
        assert clock >= self.clock, f"clock {clock} must be to come, and it is {self.clock} now"
        for _ in range(clock - self.clock):
            await self._falling
        self.clock = clock

    async def run(
        self,
        clocks: int,
        *,
        on_clock: Callable[[int, int, int], None] | None = None,
        watch: range | None = None,
    ) -> None:
        """Runs until clock ``clocks``, or until every requester is done.

        A run goes on where the one before ended, with nothing awaited in between, or begins after
        a load, which nothing outstanding may span.

        Parameters
        ----------
        clocks : int
            Clock to stop at, on the channel's count.
        on_clock : Callable or None
            Called with (clock, packed observation, packed stimulus) when the outputs of the clock
            have settled under its stimulus.
        watch : range or None
            Clocks in which ``on_clock`` is called; None is every clock.
        """
        dut, config = self.dut, self.config
        observed_handle, stimulus_handle = dut.observed, dut.stimulus
        observed, stimulus = observed_layout(config), stimulus_layout(config)
        ready_mask = _mask(observed["request_ready"])
        granted_bit = _mask(observed["granted"])
        granted_offset = observed["granted_tenant"].offset
        class_offset = observed["granted_class"].offset
        command_bit = _mask(observed["command_valid"])
        response_bit = _mask(observed["response_valid"])
        command_offset = observed["command"].offset
        command_mask = (1 << observed["command"].width) - 1
        response_offset = observed["response"].offset
        response = response_layout(config)
        tenant_mask = (1 << config.tenant_width) - 1
        id_offset, id_mask = response["id"].offset, (1 << config.id_width) - 1
        command = command_layout(config)
        command_fields = [
            (command[name].offset, (1 << command[name].width) - 1)
            for name in ("slot", "tenant", "op", "address")
        ]
        request_valid = _mask(stimulus["request_valid"])
        request_offset = stimulus["request"].offset
        command_ready = _mask(stimulus["command_ready"])
        completion_valid = _mask(stimulus["completion_valid"])
        slot_offset = stimulus["completion"].offset

        requesters, memory = self.requesters, self.memory
        by_tag = {requester.tag: requester for requester in requesters}
        ingress, checker = self.ingress, self.checker
        falling = self._falling
        offer_pause, command_pause = self._offer_pause, self._command_pause
        clock = self.clock
        now = int(dut.now.value)
        assert now == clock % (1 << config.stamp_width), (
            f"a run must begin in the clock where the last one ended, {clock}, not with stamp {now}"
        )
        driven = None
        waiting, size = self._waiting
        wake = clock  # the first clock in which some requester does something by itself
        finished = False  # a requester may have been the last to be done

        while clock < clocks:
            word = int(observed_handle.value)

            if word & response_bit:
                answer = word >> response_offset
                requester = by_tag[answer & tenant_mask]
                requester.respond(answer >> id_offset & id_mask, clock)
                requester.advance(clock)
                finished = requester.done
                start = requester.wakes_at()
                if start is not None and start < wake:
                    wake = start
            if clock >= wake:
                for requester in requesters:
                    requester.advance(clock)
                starts = [requester.wakes_at() for requester in requesters]
                wake = min([start for start in starts if start is not None], default=NEVER)
                finished = True
            if finished:
                finished = False
                if all(requester.done for requester in requesters):
                    self.done = True
                    break

            command = word >> command_offset & command_mask if word & command_bit else None
            if waiting is not None:
                assert command == waiting, (
                    f"clock {clock}: command {waiting:#x} must stay until it is taken, "
                    f"not become {command}"
                )
            elif command is not None:
                waiting, size = command, checker.command(command, clock)
            if word & granted_bit:
                checker.grant(word >> granted_offset & tenant_mask, word >> class_offset & 3, clock)
            drive = 0
            if memory.takes(clock) & (not next(command_pause)):
                drive = command_ready
                if waiting is not None:
                    assert memory.room(size), (
                        f"clock {clock}: the port must hold at most {memory.credit} bytes, "
                        f"not {memory.held} and {size} more"
                    )
                    slot, tenant, write, address = (
                        waiting >> offset & mask for offset, mask in command_fields
                    )
                    memory.accept(slot, tenant, write, address, size, clock)
                    waiting = None
            slot = memory.serve(clock)
            if slot is not None:
                drive |= completion_valid | slot << slot_offset
            if not next(offer_pause):
                request = ingress.next(word & ready_mask, clock)
                if request is not None:
                    drive |= request_valid | request << request_offset
            if drive != driven:
                stimulus_handle.value = drive
                driven = drive

            if on_clock is not None and (watch is None or clock in watch):
                await ReadOnly()
                on_clock(clock, word, drive)
            await falling
            clock += 1
        stimulus_handle.value = 0
        self.clock = clock
        self._waiting = waiting, size


def _mask(field: data.Field) -> int:
    return ((1 << field.width) - 1) << field.offset
