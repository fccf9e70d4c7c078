"""A case as a JSON file, to run it again."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import encode
from mcos_policy.settings import Settings
from mcos_sim.errors import UserError
from mcos_sim.inputs import read_whole
from mcos_sim.lockstep.case import Case, Commit
from mcos_sim.scenario import Channel, Scenario, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "case_record",
    "read_case",
]


_MOST_BYTES = 1 << 28
"""Bytes of a file: requests of the longest case take some 100 each."""

_MOST_CLOCKS = 20_000_000
"""Clocks of a case: twice what ``mcos lockstep`` runs."""

_Clock: TypeAlias = Annotated[int, Field(ge=0, le=_MOST_CLOCKS)]
_Tag: TypeAlias = Annotated[int, Field(ge=0, lt=16)]
_Direction: TypeAlias = Annotated[int, Field(ge=0, le=1)]
_Beats: TypeAlias = Annotated[int, Field(ge=1, lt=1 << 8)]
_Word: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 32)]
_Long: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 63)]
_Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
_Part: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    """A part of the file: these keys, of these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Commit(_Record):
    clock: _Clock
    settings: Settings
    spoilt: tuple[_Word, ...] | None = None


class _Stream(_Record):
    name: _Name
    tag: _Tag
    window: Annotated[int, Field(ge=1, lt=1 << 16)]
    closed: bool
    until: _Long | None
    stamp_age: _Long
    requests: list[tuple[_Direction, _Beats, _Long]]
    steps: list[tuple[_Word, _Word, _Long, _Long]]


class _Scenario(_Record):
    name: _Name
    clocks: _Clock
    memory_latency: _Clock
    memory_credit: _Long
    seed: _Long
    offer_pause: _Part
    command_pause: _Part


class _Case(_Record):
    config: ChannelConfig
    arbiter: Annotated[str, Field(pattern=f"^({'|'.join(ArbiterKind.__members__)})$")]
    seed: _Long
    warm_clocks: _Clock
    scenario: _Scenario
    commits: Annotated[list[_Commit], Field(min_length=1)]
    streams: list[_Stream]


def case_record(case: Case) -> dict[str, Any]:
    """A case as what JSON can hold."""
    scenario = case.scenario
    return {
        "config": dataclasses.asdict(scenario.config),
        "arbiter": scenario.arbiter.name,
        "seed": case.seed,
        "warm_clocks": case.warm_clocks,
        "scenario": {
            "name": scenario.name,
            "clocks": scenario.clocks,
            "memory_latency": scenario.channel.latency,
            "memory_credit": scenario.channel.credit,
            "seed": scenario.seed,
            "offer_pause": scenario.offer_pause,
            "command_pause": scenario.command_pause,
        },
        "commits": [
            {
                "clock": each.clock,
                "settings": dataclasses.asdict(each.settings),
                "spoilt": each.spoilt,
            }
            for each in case.commits
        ],
        "streams": [
            {
                "name": stream.name,
                "tag": stream.tag,
                "window": stream.window,
                "closed": stream.closed,
                "until": stream.until,
                "stamp_age": stream.stamp_age,
                "requests": stream.requests.tolist(),
                "steps": stream.steps.tolist(),
            }
            for stream in scenario.streams
        ],
    }


def read_case(path: Path) -> Case:
    """The case of a file that was written from :func:`case_record`.

    Raises
    ------
    UserError
        If it cannot be read or is not such a file.
    """
    try:
        return _case(_Case.model_validate_json(read_whole(path, most=_MOST_BYTES)))
    except OSError as error:
        raise UserError(f"{path} must be a case to run again ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        told = f"{place}: {first['msg']}" if place else first["msg"]
    except (TypeError, ValueError) as error:
        told = str(error)
    raise UserError(f"{path} must be a case as mcos lockstep writes it, and is not: {told}")


def _case(record: _Case) -> Case:
    config = record.config
    registers = channel_map(config)
    if any(len(row.settings.tenants) != config.tenants for row in record.commits):
        raise ValueError(f"settings must be of {config.tenants} tenants each")
    if any(row.tag >= config.tenants for row in record.streams):
        raise ValueError(f"tags must be under {config.tenants}, the tenants of the channel")
    commits = [
        Commit(
            clock=row.clock,
            settings=row.settings,
            image=encode(config, registers, row.settings, row.clock),
            spoilt=row.spoilt or None,
        )
        for row in record.commits
    ]
    streams = [
        Stream(
            **row.model_dump(exclude={"requests", "steps"}),
            requests=np.array(row.requests, dtype=REQUEST),
            steps=np.array(row.steps, dtype=STEP),
        )
        for row in record.streams
    ]
    scenario = Scenario(
        **record.scenario.model_dump(exclude={"memory_latency", "memory_credit"}),
        arbiter=ArbiterKind[record.arbiter],
        config=config,
        image=commits[0].image.words,
        ports=one_port(streams),
        channels=(
            Channel(latency=record.scenario.memory_latency, credit=record.scenario.memory_credit),
        ),
    )
    return Case(
        seed=record.seed,
        scenario=scenario,
        commits=tuple(commits),
        warm_clocks=record.warm_clocks,
    )
