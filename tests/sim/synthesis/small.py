"""A small netlist of words, as Yosys would write it."""

from typing import Any

__all__ = ["netlist"]


def _cell(kind: str, outputs: str, **connections: list[int]) -> dict[str, Any]:
    return {
        "type": kind,
        "parameters": {},
        "port_directions": {
            port: "output" if port in outputs.split() else "input" for port in connections
        },
        "connections": connections,
    }


def _scope() -> dict[str, Any]:
    return {"type": "$scopeinfo", "parameters": {}, "port_directions": {}, "connections": {}}


def netlist() -> dict[str, Any]:
    """Two registers of two bits with an adder and a selection between, and a memory of 8 x 4.

    ``controller.channel.lane_0.tag`` (bits 10, 11) feeds ``controller.channel.lane_1.tag`` (20,
    21) through an adder (30, 31) and a multiplexer (40, 41), and is seen as a part of something in
    that lane; the memory reads at once by the first register and is written with both, every bit of
    a word by the same enable.
    """
    memory = _cell(
        "$mem_v2",
        "RD_DATA",
        RD_CLK=[2],
        RD_EN=[3],
        RD_ADDR=[10, 11, 20],
        RD_DATA=[50, 51, 52, 53],
        WR_CLK=[2],
        WR_EN=[4, 4, 4, 4],
        WR_ADDR=[20, 21, 10],
        WR_DATA=[40, 41, 10, 11],
    )
    memory["parameters"] = {
        "MEMID": "\\controller.channel.queues.rows$12",
        "SIZE": format(8, "032b"),
        "WIDTH": format(4, "032b"),
        "ABITS": format(3, "032b"),
        "RD_PORTS": format(1, "032b"),
        "WR_PORTS": format(1, "032b"),
        "RD_CLK_ENABLE": "0",
        "WR_CLK_ENABLE": "1",
        "RD_TRANSPARENCY_MASK": "0",
    }
    first, second = "controller.channel.lane_0.tag", "controller.channel.lane_1.tag"
    return {
        "modules": {
            "mcos": {
                "ports": {},
                "cells": {
                    "$add": _cell("$add", "Y", A=[10, 11], B=[20, 21], Y=[30, 31]),
                    "$mux": _cell("$mux", "Y", A=[30, 31], B=[10, 11], S=[5], Y=[40, 41]),
                    "$first": _cell("$sdff", "Q", CLK=[2], SRST=[6], D=[50, 51], Q=[10, 11]),
                    "$second": _cell("$dff", "Q", CLK=[2], D=[40, 41], Q=[20, 21]),
                    "$memory": memory,
                    "controller.channel.queues": _scope(),
                    "controller.channel.lane_0": _scope(),
                    "controller.channel.lane_1": _scope(),
                },
                "netnames": {
                    "controller.probe.tenants[0].tag.start": {"bits": [10, 11]},
                    "controller.channel.lane_1.seen[0].tag": {"bits": [10, 11]},
                    first: {"bits": [10, 11]},
                    second: {"bits": [20, 21]},
                    "$hidden": {"hide_name": 1, "bits": [40, 41]},
                },
            }
        }
    }
