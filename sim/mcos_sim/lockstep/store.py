"""A case as a JSON file, to run it again."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import encode
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import Case, Commit
from mcos_sim.scenario import Scenario
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "case_record",
    "read_case",
]


_PLAIN = (
    "name",
    "clocks",
    "memory_latency",
    "memory_credit",
    "seed",
    "offer_pause",
    "command_pause",
)


def case_record(case: Case) -> dict[str, Any]:
    """A case as what JSON can hold."""
    scenario = case.scenario
    return {
        "config": dataclasses.asdict(scenario.config),
        "arbiter": scenario.arbiter.name,
        "seed": case.seed,
        "warm_clocks": case.warm_clocks,
        "scenario": {name: getattr(scenario, name) for name in _PLAIN},
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
        return _case(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"{path} must be a case to run again ({error.strerror})") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} must be a case as mcos lockstep writes it, and is not: {error!r}"
        ) from None


def _case(record: dict[str, Any]) -> Case:
    config = ChannelConfig(**record["config"])
    commits = []
    for row in record["commits"]:
        settings = Settings(
            channel=ChannelSettings(**row["settings"]["channel"]),
            tenants=tuple(TenantSettings(**each) for each in row["settings"]["tenants"]),
        )
        image = encode(config, channel_map(config), settings, row["clock"])
        commits.append(
            Commit(
                clock=row["clock"],
                settings=settings,
                image=image,
                spoilt=tuple(row["spoilt"]) if row.get("spoilt") else None,
            )
        )
    streams = []
    for row in record["streams"]:
        requests = np.array([tuple(each) for each in row.pop("requests")], dtype=REQUEST)
        steps = np.array([tuple(each) for each in row.pop("steps")], dtype=STEP)
        streams.append(Stream(**row, requests=requests, steps=steps))
    scenario = Scenario(
        arbiter=ArbiterKind[record["arbiter"]],
        config=config,
        image=commits[0].image.words,
        streams=tuple(streams),
        **record["scenario"],
    )
    return Case(
        seed=record["seed"],
        scenario=scenario,
        commits=tuple(commits),
        warm_clocks=record.get("warm_clocks", 0),
    )
