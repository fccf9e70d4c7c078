# amaranth: UnusedElaboratable=no
"""A channel with clocks and epochs, what drives it, and a memory behind it."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from mcos_hw.channel.channel import Channel
from mcos_hw.config import ChannelConfig
from mcos_hw.control.epoch import EpochTimer
from mcos_hw.controller import arbiter_class
from mcos_hw.link.request import request_layout
from tests.hw.channel.contracts import give_settings, settings_signature

CONFIG = ChannelConfig(tenants=4, queue_depth=8, slots=16)
ALL = (1 << CONFIG.tenants) - 1
ROUND = CONFIG.tenants
"""Clocks in which the age guard visits every tenant."""
FIELDS = request_layout(CONFIG).members
FULL_RATE = CONFIG.bytes_per_clock << CONFIG.rate_fraction


NAMES = {
    "request": "request.payload",
    "request_valid": "request.valid",
    "request_ready": "request.ready",
}


class TimedChannel(wiring.Component):
    """A channel with the clock stamp and the epochs that a controller gives it."""

    def __init__(self, config, kind):
        self.channel = Channel(config, arbiter=arbiter_class(config, kind)(config))
        members = self.channel.signature.members.items()
        given = {name: each.flip() if name in ("now", "epoch") else each for name, each in members}
        del given["contracts"]
        super().__init__(given | {"live": In(settings_signature(config))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.channel = channel = self.channel
        m.submodules.timer = timer = EpochTimer()
        connect(m, timer.epoch, channel.epoch, flipped(self.epoch))
        m.d.sync += self.now.eq(self.now + 1)
        m.d.comb += [
            channel.now.eq(self.now),
            timer.length.eq(self.live.channel.epoch_clocks),
            self.load.eq(channel.load),
            self.probe.eq(channel.probe),
        ]
        contracts = channel.contracts
        reads = [getattr(contracts, reader) for reader in contracts.signature.members]
        give_settings(m, self.live, live=[channel.live], reads=reads)
        for name in ("request", "completion"):
            connect(m, flipped(getattr(self, name)), getattr(channel, name))
        for name in ("response", "command", "readings"):
            connect(m, getattr(channel, name), flipped(getattr(self, name)))
        return m


def live(*, enabled=ALL, tenant=None, **settings):
    """A live configuration of equal tenants; one-request buckets that do not refill."""
    each = {
        "work_conserving": 1,
        "committed_depth": CONFIG.l_max,
        "peak_depth": CONFIG.l_max,
        "inverse_weight": 1 << CONFIG.reciprocal_fraction,
    } | (tenant or {})
    shared = {
        "port_credit": CONFIG.slots * CONFIG.l_max,
        "inverse_total_weight": (1 << CONFIG.total_reciprocal_fraction) // CONFIG.tenants,
        "promotion_interval": 1,
    } | settings
    tenants = [each | {"enable": enabled >> i & 1} for i in range(CONFIG.tenants)]
    return {"channel": shared, "tenants": tenants}


def request(**values):
    return dict.fromkeys(FIELDS, 0) | {"beats": 1} | values


async def start(bench, **settings):
    """Makes a configuration live and lets it fill the buckets."""
    bench.set(live=live(**settings), **{"command.ready": 1})
    await bench.tick()


async def offer(bench, **values):
    """Offers a request for one clock and says whether it was taken."""
    bench.set(request=request(**values), request_valid=1)
    taken = bench.get("request_ready") >> values["tenant"] & 1
    await bench.tick()
    bench.set(request_valid=0)
    return taken


async def require_passage(bench, port_clocks):
    """Requests pass an idle channel to its port in so many clocks, time and again."""
    for tenant, clocks in ((2, 0), (2, 0), (1, 1), (3, 9), (0, 40)):
        await bench.tick(clocks)
        assert await offer(bench, tenant=tenant, id=7, address=0x40, beats=3, op=1)
        for _ in range(port_clocks - 1):
            assert not bench.get("command.valid")
            await bench.tick()
        assert bench.get("command.valid")
        command = bench.get("command.payload")
        slot = command.pop("slot")
        assert command == {"tenant": tenant, "op": 1, "address": 0x40, "beats": 3}
        await bench.tick()
        assert not bench.get("command.valid")
        bench.set(**{"completion.valid": 1, "completion.payload": {"slot": slot}})
        await bench.tick()
        bench.set(**{"completion.valid": 0})
        assert bench.get("response.valid")
        assert bench.get("response.payload") == {"tenant": tenant, "id": 7}


class Memory:
    """Serves every command in the clock after it took it."""

    def __init__(self):
        self.slot = None

    def clock(self, bench):
        """Drives a clock and returns the command taken in it, or None."""
        bench.set(**{"completion.valid": self.slot is not None})
        bench.set(**{"completion.payload": {"slot": self.slot or 0}})
        command = bench.get("command.payload") if bench.get("command.valid") else None
        self.slot = command and command["slot"]
        return command


def random_contracts(rng, **settings):
    """A live configuration of random contracts that hold nobody back."""
    configuration = live(**settings)
    weights = [rng.choice((1, 255, rng.randint(1, 255))) for _ in range(CONFIG.tenants)]
    inverse_total = (1 << CONFIG.total_reciprocal_fraction) // sum(weights)
    configuration["channel"] |= {
        "inverse_total_weight": inverse_total,
        "overcommitted": rng.getrandbits(1),
        "promotion_interval": rng.choice((1, 4)),
        "depth1_clocks": rng.choice((0, 20)),
    }
    for tenant, weight in zip(configuration["tenants"], weights, strict=True):
        tenant |= {
            "inverse_weight": (1 << CONFIG.reciprocal_fraction) // weight,
            "priority": rng.randrange(16),
            "age_limit": rng.choice((0, 20)),
            "committed_rate": rng.choice((0, FULL_RATE // 8)),
            "peak_rate": FULL_RATE // 4,
            "peak_depth": 4 * CONFIG.l_max,
        }
    return configuration
