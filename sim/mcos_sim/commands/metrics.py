"""``mcos metrics``: what a core counts, as Prometheus reads it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_sim.commands.channel_options import (
    ChannelsOption,
    port_kind,
    ports_of,
    require_channels,
)
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import (
    CONTRACT_HELP,
    MOST_CLOCKS,
    MOST_SEED,
    Arbiter,
    Memory,
    PortKind,
    PortOption,
    PortsOption,
    contract_argument,
    contract_for,
    json_option,
)
from mcos_sim.console import output, progress, require_outputs, say, write_json
from mcos_sim.errors import HardwareError, UserError
from mcos_sim.memory.name import MemoryName

if TYPE_CHECKING:
    from mcos_policy.client.prometheus import MetricsCollector
    from mcos_policy.compiler import Compiled
    from mcos_sim.experiments.prepare import Prepared
    from mcos_sim.ported.sizes import Ports

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos metrics decode-prefill --once"

_SIMULATED = {
    "traffic": "--traffic",
    "traffic_of": "--traffic-of",
    "arbiter": "--arbiter",
    "clocks": "--clocks",
    "seed": "--seed",
    "memory": "--memory",
    "port": "--port",
    "ports": "--ports",
    "channels": "--channels",
}
"""Options of a co-simulation, by parameter."""

_MOST_PORT = 65_535

_SECONDS = 0.001, 1.0
"""Least and most time between two looks at hardware."""


def command(
    context: typer.Context,
    contract: Annotated[
        Path | None,
        contract_argument(
            CONTRACT_HELP, show_default="decode-prefill or that of the memory; none with --mmap"
        ),
    ] = None,
    *,
    traffic: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What each tenant asks for, TOML.",
            show_default="at the guarantee with a latency_slo, else backlogged",
        ),
    ] = None,
    traffic_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATTERN[:key=value,...]",
            help="What one tenant asks for, as in the file.",
            show_default=False,
        ),
    ] = None,
    arbiter: Annotated[Arbiter, typer.Option(help="Arbiter that the hardware is built with.")] = (
        Arbiter.MCOS
    ),
    clocks: Annotated[
        int, typer.Option(min=2_000, max=MOST_CLOCKS, help="Length of the run.")
    ] = 200_000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1,
    memory: Memory = MemoryName.SIMPLE,
    port: PortOption = PortKind.CHANNEL,
    ports: PortsOption = None,
    channels: ChannelsOption = 1,
    once: Annotated[
        bool, typer.Option("--once", help="Print the text; what happens without --listen.")
    ] = False,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve /metrics while the run goes on, or until Ctrl-C with --mmap.",
            show_default=False,
        ),
    ] = None,
    mmap: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Read hardware in a file that is memory, such as the resource of a PCIe BAR.",
            show_default=False,
        ),
    ] = None,
    offset: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Where in that file the registers begin, such as 0x10000.",
            show_default="0",
        ),
    ] = None,
    json: Annotated[Path | None, json_option("the samples")] = None,
    hardware: HardwareOptions,
) -> None:
    """Show what each tenant was granted and how long it waited, as Prometheus text.

    A contract with traffic of its tenants runs on the verilated RTL, whose registers are read as
    software reads them. Every epoch is read and added up. With --channels each channel is told
    apart, and what a tenant has is the sum over all. With --mmap it is real hardware, of which only
    registers are read: no image is loaded.
    """
    address = _address(listen, once=once)
    require_outputs([json], inputs=[contract, traffic, mmap])
    if mmap is None:
        if offset is not None:
            raise UserError("--offset must be given with --mmap; leave it out")
        from mcos_sim.commands.compile import compile_for

        chosen = contract_for(memory) if contract is None else contract
        port = port_kind(context, port, channels)
        axi = port is PortKind.AXI
        compiled = compile_for(chosen, hardware=hardware, notes=False, axi=axi)
        require_channels(compiled, channels)
        axi_ports = ports_of(compiled, ports, port=port, channels=channels)
        _require_counted(compiled)
        prepared = _prepared(
            compiled,
            traffic,
            traffic_of,
            arbiter=arbiter,
            clocks=clocks,
            seed=seed,
            memory=memory,
            axi_ports=axi_ports,
            channels=channels,
        )
        require_outputs([json], inputs=prepared.files)
        collector = _run(prepared, address)
        about = {
            "arbiter": arbiter.value,
            "clocks": clocks,
            "contract": compiled.origin,
            "memory": memory.value,
            "channels_run": channels,
            "port": {"kind": port.value, "tags": axi_ports},
            "seed": seed,
        }
    else:
        _require_not_simulated(context)
        if json is not None and address is not None:
            raise UserError(
                "--json must not be given with --mmap and --listen, which end with Ctrl-C; leave "
                "one out"
            )
        collector = _read(mmap, _bytes(offset), address, contract, hardware)
        about = {"mmap": str(mmap)}
    if address is None:
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(collector)
        text = generate_latest(registry).decode()
        output.print(text, soft_wrap=True, end="")
    if json is not None:
        write_json(json, {**about, **_figures(collector)})


def _figures(collector: MetricsCollector) -> dict[str, Any]:
    """What a JSON file has of it."""
    core = collector.core
    return {
        "config_hash": core.config.hash,
        "epochs_missed": collector.epochs_missed,
        "epochs_read": collector.epochs_read,
        "map_hash": f"{core.registers.hash:#010x}",
        "samples": collector.samples(),
    }


def _address(listen: str | None, *, once: bool) -> tuple[str, int] | None:
    """Host and port of ``--listen``."""
    if listen is None:
        return None
    if once:
        raise UserError(
            "--once must not be given beside --listen: one prints what the other serves; leave "
            "one out"
        )
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):([0-9]{1,5})", listen)
    if match is None or int(match[2]) > _MOST_PORT:
        raise UserError(
            f"--listen must be HOST:PORT with a port up to {_MOST_PORT}, not {listen!r}; "
            "for example --listen 127.0.0.1:9464"
        )
    return match[1].strip("[]"), int(match[2])


def _bytes(offset: str | None) -> int:
    """The bytes of ``--offset``."""
    text = offset or "0"
    if re.fullmatch(r"0x[0-9a-fA-F]{1,16}|[0-9]{1,19}", text) is None:
        raise UserError(
            f"--offset must be a number of bytes, not {text!r}; write it such as 4096 or 0x1000"
        )
    return int(text, 16) if text.startswith("0x") else int(text)


def _require_not_simulated(context: typer.Context) -> None:
    """Refuse options of a co-simulation."""
    for key, option in _SIMULATED.items():
        source = context.get_parameter_source(key)
        if source is not None and source.name == "COMMANDLINE":
            raise UserError(
                f"{option} must not be given with --mmap, whose hardware runs by itself; leave it "
                "out"
            )


def _require_counted(compiled: Compiled) -> None:
    """Refuse hardware that counts nothing, and a contract under which no epoch ends."""
    if not compiled.config.monitors:
        raise UserError(
            "the hardware must have counters, not be built without; leave --no-monitors out, or "
            "monitors in [hardware]"
        )
    if not compiled.settings.channel.epoch_clocks:
        raise UserError(
            "epoch of the contract must be over 0, not 0, so that counts can be read; set it"
        )


def _prepared(
    compiled: Compiled,
    traffic: Path | None,
    traffic_of: Sequence[str] | None,
    *,
    arbiter: Arbiter,
    clocks: int,
    seed: int,
    memory: MemoryName,
    axi_ports: Ports,
    channels: int,
) -> Prepared:
    """The run."""
    from mcos_hw.registers import ArbiterKind
    from mcos_sim.experiments.prepare import Common, prepare_plan

    common = Common(
        name=arbiter.value,
        arbiter=ArbiterKind[arbiter.name],
        seed=seed,
        memory=memory,
        window=None,
        axi_ports=axi_ports,
        channels=channels,
    )
    with progress("Preparing the traffic", None):
        prepared = prepare_plan(
            compiled, file=traffic, options=traffic_of or (), clocks=clocks, common=common
        )
    say(prepared.facts["sentence"])
    for remark in prepared.remarks:
        say(remark)
    return prepared


def _run(prepared: Prepared, address: tuple[str, int] | None) -> MetricsCollector:
    """Run a scenario and add its epochs up; they are served meanwhile."""
    from mcos_policy.client import ClientError
    from mcos_policy.client.prometheus import MetricsCollector
    from mcos_sim.engines.dispatch import Engine, build
    from mcos_sim.engines.metered import metered

    scenario, compiled = prepared.scenario, prepared.compiled
    with progress("Building the simulator from the emitted Verilog", 1) as advance:
        channels = len(scenario.channels)
        build(Engine.VERILATED, scenario.config, scenario.arbiter, scenario.axi_ports, channels)
        advance(1)
    running = f"Running {scenario.name} on {Engine.VERILATED.description}"
    try:
        with metered(scenario, compiled.image, names=compiled.names) as meter:
            collector = MetricsCollector(meter.client)
            with (
                _serving(collector, address),
                progress(running, prepared.expected, unit="clocks") as advance,
            ):
                for metrics in meter.epochs(advance):
                    collector.take(metrics)
    except ClientError as error:
        raise HardwareError(str(error)) from None
    return collector


def _read(
    path: Path,
    offset: int,
    address: tuple[str, int] | None,
    contract: Path | None,
    hardware: HardwareOptions,
) -> MetricsCollector:
    """Read hardware, once or for as long as it is served."""
    from mcos_hw.config import ChannelConfig
    from mcos_policy.client import Client, ClientError, MappedFile, discover
    from mcos_policy.client.discovery import KNOWN_MAPS
    from mcos_policy.client.prometheus import MetricsCollector
    from mcos_sim.commands.compile import compile_for

    compiled = None if contract is None else compile_for(contract, hardware=hardware, notes=False)
    config = hardware.config() if hardware != HardwareOptions() else None
    if compiled is not None:
        config = compiled.config
    sizes = config or ChannelConfig()
    length = max(1 << map_of(sizes).address_width for map_of in KNOWN_MAPS)
    try:
        with MappedFile(path, offset=offset, length=length, writable=False) as registers:
            # The pages of several channels are behind what every core has.
            length = max(length, 1 << discover(registers, config).registers.map_width)
        with MappedFile(path, offset=offset, length=length, writable=False) as registers:
            client = Client(registers, config, names=None if compiled is None else compiled.names)
            collector = MetricsCollector(client)
            collector.take(client.metrics())
            if address is not None:
                with _serving(collector, address):
                    while True:
                        metrics = client.metrics()
                        collector.take(metrics)
                        low, high = _SECONDS
                        epoch = metrics.seconds(metrics.epoch_clocks)
                        time.sleep(min(max(epoch / 4, low), high))
    except ClientError as error:
        raise UserError(str(error)) from None
    return collector


@contextlib.contextmanager
def _serving(
    collector: MetricsCollector, address: tuple[str, int] | None
) -> Generator[None, None, None]:
    """Serve a collector at an address while a block runs; nothing without one."""
    if address is None:
        yield
        return
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(collector)
    host, port = address
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise UserError(
            f"--listen must be an address of this machine that is free, not {host}:{port} "
            f"({error.strerror or error}); choose another"
        ) from None
    shown = f"[{host}]" if ":" in host else host
    say(f"serving http://{shown}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
