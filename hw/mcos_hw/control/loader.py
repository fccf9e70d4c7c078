"""Takes an image word by word, checks it, and makes it live at once or not at all."""

from amaranth import *
from amaranth.lib import crc, data, wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.control.store import ConfigStore
from mcos_hw.link.live import live_layout
from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.image import (
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    HeaderWord,
    ImageCode,
    ImageState,
)

__all__ = ["ImageLoader"]


class ImageLoader(wiring.Component):
    """Loader, checker and store of a channel's configuration.

    Takes one word a clock. The first word that is wrong refuses the image, in stream order:
    magic, version, map hash, length, a payload bit outside its field, checksum. Then the values
    are checked for ``tenants + 1`` clocks, one tenant a clock and the verdict; it is STAGED unless
    one of these is broken, the first with OVERSUBSCRIBED, any other with FIELD:

    - the sum of all committed rates is at most ``config.admissible_rate``;
    - an enabled tenant has committed rate <= peak rate, committed depth <= peak depth, 0 < 1/w <= 1
      and a page colour; the depth of a bucket is at least l_max, or 0 where its rate is 0; without
      a peak rate the tenant is work conserving, as nothing else would serve it;
    - a tenant that is not enabled has a committed rate of 0;
    - 0 < paced rate <= r if the pacer is enabled, port credit >= l_max, promotion interval >= 1,
      and 0 < 1/W <= 1.

    What software may do, and what comes of it:

    ========= ========= ======================= ====================== ==================
    state     begin     word                    commit                 code of a refusal
    ========= ========= ======================= ====================== ==================
    EMPTY     RECEIVING ignored                 EMPTY                  NOT_STAGED
    RECEIVING RECEIVING taken                   REFUSED                TRUNCATED
    CHECKING  RECEIVING REFUSED                 REFUSED                OVERLONG, TRUNCATED
    STAGED    RECEIVING REFUSED                 live, then EMPTY       OVERLONG
    REFUSED   RECEIVING ignored                 REFUSED                as it was
    ========= ========= ======================= ====================== ==================

    A begin and a commit in one clock count as a commit after a begin; either one goes before a
    word in the same clock. The live configuration changes by a commit in STAGED and by nothing
    else, and is all zero after reset.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    registers : RegisterMap
        The channel's map, ``channel_map(config)``.

    Members
    -------
    begin : In(1)
        Forget what was received; expect word 0.
    commit : In(1)
        Make the staged image live.
    word_stb : In(1)
        ``word`` is the next word of the image.
    word : In(32)
        The word.
    state : Out(ImageState)
        Where the loader is.
    code : Out(ImageCode)
        Why the last image or commit was refused; NONE from a begin or a good commit on.
    received : Out
        Words taken since the last begin, the refused one included.
    generation : Out(32)
        Commits since reset, modulo 2**32.
    live_label, live_crc : Out(32)
        Label and checksum of the live image.
    live : Out(live_layout(registers))
        The live configuration.
    commit_stb : Out(1)
        The edge that ends this clock makes a new configuration live.

    Raises
    ------
    ValueError
        If the map is one of another number of tenants.
    """

    begin: Signal
    commit: Signal
    word_stb: Signal
    word: Signal
    state: Signal
    code: Signal
    received: Signal
    generation: Signal
    live_label: Signal
    live_crc: Signal
    live: data.View
    commit_stb: Signal

    def __init__(self, config: ChannelConfig, registers: RegisterMap) -> None:
        layout = live_layout(registers)
        tenants = layout["tenants"].shape.length
        if tenants != config.tenants:
            raise ValueError(
                f"registers must be a map of {config.tenants} tenants as config has, not {tenants}"
            )
        self.config = config
        self.registers = registers
        self.image_length = HEADER_WORDS + registers.image_length + 1
        super().__init__(
            {
                "begin": In(1),
                "commit": In(1),
                "word_stb": In(1),
                "word": In(32),
                "state": Out(ImageState),
                "code": Out(ImageCode),
                "received": Out(range(self.image_length + 1)),
                "generation": Out(32),
                "live_label": Out(32),
                "live_crc": Out(32),
                "live": Out(layout),
                "commit_stb": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = ConfigStore(self.registers)
        m.submodules.checksum = checksum = crc.Processor(CRC32_ETHERNET(data_width=32))

        # A later assignment wins over an earlier one, here and everywhere in Amaranth: a begin over
        # a commit over a word, and OVERSUBSCRIBED over FIELD. A begin also clears what the checker
        # sums up; nothing touches it before CHECKING.
        tenant = Signal(range(self.config.tenants + 1))
        committed = Signal(range(self.config.tenants << self.config.rate_width))
        broken = Signal()
        label = Signal(32)

        def refuse(code):
            m.d.sync += [self.state.eq(ImageState.REFUSED), self.code.eq(code)]

        last = self.image_length - 1
        complete = (self.state == ImageState.CHECKING) | (self.state == ImageState.STAGED)
        m.d.comb += [
            checksum.start.eq(self.begin),
            checksum.data.eq(self.word),
            store.word.eq(self.word),
            store.write_index.eq(self.received - HEADER_WORDS),
        ]
        with m.Switch(self.state):
            with m.Case(ImageState.RECEIVING), m.If(self.word_stb):
                m.d.sync += self.received.eq(self.received + 1)
                # A word that comes with a begin is no word of the image that begins.
                m.d.comb += checksum.valid.eq((self.received != last) & ~self.begin)
                with m.Switch(self.received):
                    for position, expected, code in (
                        (HeaderWord.MAGIC, IMAGE_MAGIC, ImageCode.MAGIC),
                        (HeaderWord.VERSION, IMAGE_VERSION, ImageCode.VERSION),
                        (HeaderWord.MAP_HASH, self.registers.hash, ImageCode.MAP_HASH),
                        (HeaderWord.WORDS, self.image_length, ImageCode.WORDS),
                    ):
                        with m.Case(position), m.If(self.word != expected):
                            refuse(code)
                    with m.Case(HeaderWord.LABEL):
                        m.d.sync += label.eq(self.word)
                    with m.Case(last):
                        m.d.sync += self.state.eq(ImageState.CHECKING)
                        with m.If(self.word != checksum.crc):
                            refuse(ImageCode.CRC)
                    with m.Default():
                        m.d.comb += store.write_stb.eq(1)
                        with m.If(~store.fits):
                            refuse(ImageCode.FIELD)
            with m.Case(ImageState.CHECKING):
                layout = store.shadow.tenants.shape().elem_shape
                row = data.View(layout, Signal(layout.size, name="row"))
                m.d.comb += row.eq(store.shadow.tenants[tenant[: self.config.tenant_width]])
                m.d.sync += [
                    tenant.eq(tenant + 1),
                    committed.eq(committed + row.committed_rate),
                    broken.eq(broken | self._tenant_broken(row)),
                ]
                with m.If(tenant == self.config.tenants):
                    m.d.sync += self.state.eq(ImageState.STAGED)
                    with m.If(broken | self._channel_broken(store.shadow.channel)):
                        refuse(ImageCode.FIELD)
                    with m.If(committed > self.config.admissible_rate):
                        refuse(ImageCode.OVERSUBSCRIBED)

        with m.If(self.begin):
            m.d.sync += [
                self.state.eq(ImageState.RECEIVING),
                self.code.eq(ImageCode.NONE),
                self.received.eq(0),
                tenant.eq(0),
                committed.eq(0),
                broken.eq(0),
            ]
            with m.If(self.commit):
                refuse(ImageCode.TRUNCATED)
        with m.Elif(self.commit), m.Switch(self.state):
            with m.Case(ImageState.EMPTY):
                m.d.sync += self.code.eq(ImageCode.NOT_STAGED)
            with m.Case(ImageState.RECEIVING, ImageState.CHECKING):
                refuse(ImageCode.TRUNCATED)
            with m.Case(ImageState.STAGED):
                m.d.comb += self.commit_stb.eq(1)
        with m.Elif(self.word_stb & complete):
            refuse(ImageCode.OVERLONG)

        m.d.comb += [store.commit_stb.eq(self.commit_stb), self.live.eq(store.live)]
        with m.If(self.commit_stb):
            m.d.sync += [
                self.state.eq(ImageState.EMPTY),
                self.generation.eq(self.generation + 1),
                self.live_label.eq(label),
                self.live_crc.eq(checksum.crc),
            ]
        return m

    def _tenant_broken(self, row: data.View) -> Value:
        """A relation between the fields of one tenant does not hold."""
        order = (row.peak_rate < row.committed_rate) | (row.peak_depth < row.committed_depth)
        # A bucket without a rate has no depth: it would be filled once, with what nobody promised.
        committed = Mux(
            row.committed_rate == 0,
            row.committed_depth != 0,
            (row.committed_depth < self.config.l_max),
        )
        peak = Mux(
            row.peak_rate == 0,
            (row.peak_depth != 0) | ~row.work_conserving,
            row.peak_depth < self.config.l_max,
        )
        weight = _not_a_share(row.inverse_weight, self.config.reciprocal_fraction)
        colours = row.colours == 0
        contract = order | committed | peak | weight | colours
        return Mux(row.enable, contract, row.committed_rate != 0)

    def _channel_broken(self, channel: data.View) -> Value:
        """A relation between the fields of the channel does not hold."""
        r = self.config.bytes_per_clock << self.config.rate_fraction
        pacer = channel.pacer_enable & ((channel.pacer_rate == 0) | (channel.pacer_rate > r))
        credit = channel.port_credit < self.config.l_max
        promotion = channel.promotion_interval == 0
        weight = _not_a_share(channel.inverse_total_weight, self.config.total_reciprocal_fraction)
        return pacer | credit | promotion | weight


def _not_a_share(value: Value, fraction: int) -> Value:
    """``value / 2**fraction`` is 0 or over 1."""
    return (value == 0) | (value > 1 << fraction)
