"""Software at a register bus: reads, writes and images, as fast as the bus goes."""

from mcos_hw.bus.axi4lite import Response
from mcos_hw.registers.image import HeaderWord, ImageCode, ImageState

__all__ = ["Software"]


class Software:
    """Reads and writes registers of a component with the bus ``s_axil``.

    ``window`` is in the address bits above those of the map. ``tick`` lets clocks go by.
    """

    def __init__(self, bench, registers, *, window=0, tick=None):
        self.bench = bench
        self.tick = tick or bench.tick
        self.registers = registers
        self.window = window
        bench.set(**{"s_axil.bready": 1, "s_axil.rready": 1, "s_axil.wstrb": 0xF})

    def _address(self, offset):
        return self.window << self.registers.map_width | offset

    async def write(self, words):
        """Writes (register, word) one by one; the next address comes with an answer."""
        bench = self.bench
        for name, word in words:
            bench.set(
                **{
                    "s_axil.awaddr": self._address(self.registers[name].offset),
                    "s_axil.wdata": word,
                    "s_axil.awvalid": 1,
                    "s_axil.wvalid": 1,
                }
            )
            while not (bench.get("s_axil.awready") and bench.get("s_axil.wready")):
                await self.tick()
            await self.tick()
        bench.set(**{"s_axil.awvalid": 0, "s_axil.wvalid": 0})
        await self.tick(4)

    async def put_at(self, offset, word, seen=None):
        """Response of a write, and how often the member ``seen`` was high, if one is named."""
        bench = self.bench
        bench.set(
            **{
                "s_axil.awaddr": self._address(offset),
                "s_axil.wdata": word,
                "s_axil.awvalid": 1,
                "s_axil.wvalid": 1,
            }
        )
        await self.tick()
        bench.set(**{"s_axil.awvalid": 0, "s_axil.wvalid": 0})
        high = 0
        while not bench.get("s_axil.bvalid"):
            if seen is not None:
                high += bench.get(seen)
            await self.tick()
        response = bench.get("s_axil.bresp")
        await self.tick(2)
        return response if seen is None else (response, high)

    async def put(self, name, word, seen=None):
        """The same of a register."""
        return await self.put_at(self.registers[name].offset, word, seen)

    async def at(self, offset):
        """Response and word of a read."""
        bench = self.bench
        bench.set(**{"s_axil.araddr": self._address(offset), "s_axil.arvalid": 1})
        await self.tick()
        bench.set(**{"s_axil.arvalid": 0})
        while not bench.get("s_axil.rvalid"):
            await self.tick()
        answer = bench.get("s_axil.rresp"), bench.get("s_axil.rdata")
        await self.tick()
        return answer

    async def read(self, name, index=0):
        """The word of a register that is there."""
        response, word = await self.at(self.registers[name].offset + 4 * index)
        assert response == Response.OKAY
        return word

    async def load(self, words):
        """Writes an image, and returns what the loader makes of it."""
        control = self.registers["IMAGE_CONTROL"]
        begin = [("IMAGE_CONTROL", control.pack(begin=1))]
        await self.write([*begin, *(("IMAGE_DATA", word) for word in words)])
        status = self.registers["IMAGE_STATUS"].unpack(await self.read("IMAGE_STATUS"))
        assert status["received"] == min(len(words), words[HeaderWord.WORDS])
        return ImageState(status["state"]), ImageCode(status["code"])

    async def commit(self):
        """Commits what was loaded."""
        await self.write([("IMAGE_CONTROL", self.registers["IMAGE_CONTROL"].pack(commit=1))])
