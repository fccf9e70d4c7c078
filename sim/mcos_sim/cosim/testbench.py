"""The cocotb bench: steps the compiled environment of the other engines around a harness.

Everything happens at the falling edge. By then the outputs of the clock that began with the
rising edge have settled, and what is driven is taken at the next rising edge, so one wake-up a
clock both watches and drives.
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np
from amaranth.lib import data
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import command_layout, request_layout, response_layout
from mcos_hw.registers import CORE_MAGIC, CORE_VERSION, channel_map
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_sim.cosim.harness import observed_layout, stimulus_layout
from mcos_sim.environment import layout as at
from mcos_sim.environment.drive import environment_step
from mcos_sim.environment.environment import blocks_of, require_sound
from mcos_sim.environment.fabric import fabric_step
from mcos_sim.memory.memory import MemoryModel
from mcos_sim.ported.lanes import Lanes

__all__ = [
    "Registers",
    "Testbench",
]


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
        return await self.read_word(self.map[name].offset + 4 * index)

    async def read_word(self, address: int) -> int:
        """The word at an address."""
        answer = await self.master.read(address, 4)
        _require_okay(f"at {address:#06x}", answer.resp)
        return int.from_bytes(answer.data, "little")

    async def read_words(self, addresses: Sequence[int]) -> list[int]:
        """The words at addresses one behind the other."""
        answer = await self.master.read(addresses[0], 4 * len(addresses))
        _require_okay(f"at {addresses[0]:#06x}", answer.resp)
        return [
            int.from_bytes(answer.data[4 * i : 4 * i + 4], "little") for i in range(len(addresses))
        ]

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
        await self._write(self.map[name].offset, word, name)

    async def write_word(self, address: int, word: int) -> None:
        """Writes a word at an address."""
        await self._write(address, word, f"at {address:#06x}")

    async def _write(self, address: int, word: int, name: str) -> None:
        answer = await self.master.write(address, word.to_bytes(4, "little"))
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


def _require_okay(name: str, answer: AxiResp) -> None:
    assert answer is AxiResp.OKAY, f"register {name} must answer OKAY, not {AxiResp(answer).name}"


class Testbench:
    """Steps an environment around a harness: requesters on one side, a memory on the other.

    Parameters
    ----------
    dut
        Harness, as cocotb shows it.
    config : ChannelConfig
        Sizes.
    environment : numpy.ndarray
        Requesters and memory, as :func:`mcos_sim.environment.environment.environment` makes them.
        A run changes it.
    memory : MemoryModel
        The model whose state the environment holds.
    """

    def __init__(
        self, dut, config: ChannelConfig, environment: np.ndarray, memory: MemoryModel
    ) -> None:
        self.dut = dut
        self.config = config
        self.environment = environment
        self.registers = Registers(dut, config)
        ports, channels = (max(1, int(environment[place])) for place in (at.AXI_PORTS, at.CHANNELS))
        self.lanes = Lanes(ports=ports, channels=channels)
        self._drive = (fabric_step if channels > 1 else environment_step)(memory).drive
        self._falling = FallingEdge(dut.clk)
        # Packed command at each memory port.
        self._waiting: list[int | None] = [None] * channels
        environment[at.CLOCK] = 0

    @property
    def clock(self) -> int:
        """Clocks since reset, equal to the channel's stamp modulo its width."""
        return int(self.environment[at.CLOCK])

    @property
    def done(self) -> bool:
        """Whether every requester has its last response."""
        return bool(self.environment[at.DONE])

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
        for block in blocks_of(self.environment):
            assert not block[at.OUTSTANDING], (
                f"tenant {block[at.TAG]} must wait for nothing while an image is loaded, "
                f"not for {block[at.OUTSTANDING]} responses"
            )
        await self.registers.identify()
        state, code = await self.registers.load(words)
        assert state is ImageState.STAGED, f"the image must be staged, not {state.name} {code.name}"
        state, code = await self.registers.commit()
        assert code is ImageCode.NONE, f"the commit must be taken, not refused as {code.name}"
        await self._falling
        elapsed = int(self.dut.now.value) - self.clock
        self.environment[at.CLOCK] += elapsed % (1 << self.config.stamp_width)

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
        self.environment[at.CLOCK] = clock

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

        Raises
        ------
        AssertionError
            If a command changes while it waits at the port.
        EnvironmentFault
            If the hardware does what its requesters or its memory do not allow.
        """
        config, e, drive, falling = self.config, self.environment, self._drive, self._falling
        words = e.data  # elements are faster to read and write through it
        observed_handle, stimulus_handle = self.dut.observed, self.dut.stimulus
        observed = _Observed(config, self.lanes)
        stimulus = _Stimulus(config, self.lanes)
        readies = [at.LANE * k + at.COMMAND_READY for k in range(self.lanes.channels)]
        clock = self.clock
        now = int(self.dut.now.value)
        assert now == clock % (1 << config.stamp_width), (
            f"a run must begin in the clock where the last one ended, {clock}, not with stamp {now}"
        )
        driven = None
        while clock < clocks:
            word = int(observed_handle.value)
            commands = observed.show(word, words)
            for waiting, command in zip(self._waiting, commands, strict=True):
                assert waiting is None or command == waiting, (
                    f"clock {clock}: command {waiting:#x} must stay until it is taken, "
                    f"not become {command}"
                )
            drive(e)
            if words[at.FAULT]:
                require_sound(e)
            if words[at.DONE]:
                break
            self._waiting = [
                None if words[ready] else command
                for ready, command in zip(readies, commands, strict=True)
            ]
            stimuli = stimulus.packed(words)
            if stimuli != driven:
                stimulus_handle.value = stimuli
                driven = stimuli
            if on_clock is not None and (watch is None or clock in watch):
                await ReadOnly()
                on_clock(clock, word, stimuli)
            await falling
            clock += 1
        stimulus_handle.value = 0


class _Observed:
    """Takes the packed observation of a clock apart, into the words of an environment."""

    def __init__(self, config: ChannelConfig, lanes: Lanes) -> None:
        layout = observed_layout(config, lanes)
        response, command = response_layout(config), command_layout(config)
        self._ports = []
        for lane, k in enumerate(lanes.of_ports):
            base, offset = at.LANE * lane, layout[f"response{k}"].offset
            fields = tuple(
                (base + to, offset + response[name].offset, (1 << response[name].width) - 1)
                for to, name in ((at.RESPONSE_TENANT, "tenant"), (at.RESPONSE_ID, "id"))
            )
            ready = (base + at.READY, *_place(layout[f"request_ready{k}"]))
            valid = _mask(layout[f"response_valid{k}"])
            self._ports.append((*ready, base + at.RESPONSE_VALID, valid, fields))
        self._channels = []
        for lane, k in enumerate(lanes.of_channels):
            base = at.LANE * lane
            grant = (
                (base + at.GRANTED, *_place(layout[f"granted_tenant{k}"])),
                (base + at.GRANTED_CLASS, *_place(layout[f"granted_class{k}"])),
            )
            fields = tuple(
                (base + to, *_place(command[name]))
                for to, name in (
                    (at.COMMAND_SLOT, "slot"),
                    (at.COMMAND_TENANT, "tenant"),
                    (at.COMMAND_OP, "op"),
                    (at.COMMAND_ADDRESS, "address"),
                    (at.COMMAND_BEATS, "beats"),
                )
            )
            self._channels.append(
                (
                    *(base + at.GRANTED, _mask(layout[f"granted{k}"]), grant),
                    *(base + at.COMMAND_VALID, _mask(layout[f"command_valid{k}"])),
                    *(*_place(layout[f"command{k}"]), fields),
                )
            )

    def show(self, word: int, words: memoryview) -> list[int | None]:
        """Shows a clock to the environment; returns the packed command at each port, or None."""
        for ready, offset, mask, responds, valid, fields in self._ports:
            words[ready] = word >> offset & mask
            words[responds] = 0
            if word & valid:
                words[responds] = 1
                for to, place, width in fields:
                    words[to] = word >> place & width
        commands: list[int | None] = []
        for granted, grants, grant, commanded, valid, offset, mask, fields in self._channels:
            words[granted] = -1
            if word & grants:
                for to, place, width in grant:
                    words[to] = word >> place & width
            words[commanded] = 0
            if not word & valid:
                commands.append(None)
                continue
            words[commanded] = 1
            command = word >> offset & mask
            for to, place, width in fields:
                words[to] = command >> place & width
            commands.append(command)
        return commands


class _Stimulus:
    """Packs what an environment drives in a clock."""

    def __init__(self, config: ChannelConfig, lanes: Lanes) -> None:
        layout = stimulus_layout(config, lanes)
        request = request_layout(config)
        self._ports = []
        for lane, k in enumerate(lanes.of_ports):
            base, offset = at.LANE * lane, layout[f"request{k}"].offset
            fields = tuple(
                (base + of, offset + request[name].offset, (1 << request[name].width) - 1)
                for of, name in (
                    (at.REQUEST_TENANT, "tenant"),
                    (at.REQUEST_ID, "id"),
                    (at.REQUEST_OP, "op"),
                    (at.REQUEST_ADDRESS, "address"),
                    (at.REQUEST_BEATS, "beats"),
                    (at.REQUEST_OFFERED, "offered"),
                )
            )
            valid = _mask(layout[f"request_valid{k}"])
            self._ports.append((base + at.REQUEST_VALID, valid, fields))
        self._channels = [
            (
                *(at.LANE * lane + at.COMMAND_READY, _mask(layout[f"command_ready{k}"])),
                *(at.LANE * lane + at.COMPLETION_VALID, _mask(layout[f"completion_valid{k}"])),
                *(at.LANE * lane + at.COMPLETION_SLOT, layout[f"completion{k}"].offset),
            )
            for lane, k in enumerate(lanes.of_channels)
        ]

    def packed(self, words: memoryview) -> int:
        """The packed stimulus of the clock that the environment has stepped through."""
        stimuli = 0
        for ready, takes, completes, completion, slot, offset in self._channels:
            if words[ready]:
                stimuli |= takes
            if words[completes]:
                stimuli |= completion | words[slot] << offset
        for asks, valid, fields in self._ports:
            if words[asks]:
                stimuli |= valid
                for of, offset, mask in fields:
                    stimuli |= (words[of] & mask) << offset
        return stimuli


def _place(field: data.Field) -> tuple[int, int]:
    """Offset of a field, and its mask before it is moved there."""
    return field.offset, (1 << field.width) - 1


def _mask(field: data.Field) -> int:
    return ((1 << field.width) - 1) << field.offset
