"""Files that bad inputs name, good ones and bad ones."""

import json
import os
from pathlib import Path

from mcos_policy.samples import SAMPLES
from tests.sim.commands.bad_inputs.runner import Content

__all__ = [
    "CONTRACTS",
    "CONTRACT_TEXT",
    "FILES",
    "TRACES",
]


CONTRACT_TEXT = (SAMPLES["decode-prefill"]).read_text(encoding="utf-8")


def _changed(before: str, after: str) -> str:
    """The sample contract with one thing changed."""
    assert before in CONTRACT_TEXT
    return CONTRACT_TEXT.replace(before, after, 1)


def _tenant(name: str, value: str) -> str:
    """The sample contract with a key of the first tenant's bandwidth set."""
    lines = [line for line in CONTRACT_TEXT.splitlines() if line]
    place = lines.index("[tenant.bandwidth]") + 1
    end = lines.index("[[tenant]]", place)
    kept = [line for line in lines[place:end] if not line.startswith(f"{name} ")]
    return "\n".join([*lines[:place], f"{name} = {value}", *kept, *lines[end:]]) + "\n"


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere/at/all")


def _socket(path: Path) -> None:
    os.mknod(path, 0o140644)


CONTRACTS: dict[str, Content] = {
    "c.toml": CONTRACT_TEXT,
    "empty.toml": "",
    "comment.toml": "# nothing\n",
    "zeros.toml": b"\0" * 100,
    "latin.toml": "[fabric] # é\n".encode("latin-1"),
    "large.toml": b"#" * ((1 << 20) + 1),
    "folder.toml": _folder,
    "loop.toml": _loop,
    "dangling.toml": _dangling,
    "syntax.toml": "[fabric\n",
    "json.toml": '{"fabric": {}}',
    "twice.toml": _changed("channels = 8", "channels = 8\nchannels = 9"),
    "unknown.toml": _changed("channels = 8", "chanels = 8"),
    "deep.toml": "a = " + "[" * 5_000,
    "digits.toml": _changed("channels = 8", f"channels = {'9' * 5_000}"),
    "big.toml": _changed("channels = 8", f"channels = {'9' * 26}"),
    "nothing.toml": _changed("channels = 8", "channels = 0"),
    "minus.toml": _changed("channels = 8", "channels = -8"),
    "text.toml": _changed("channels = 8", 'channels = "8"'),
    "float.toml": _changed("channels = 8", "channels = 8.5"),
    "nan.toml": _changed("channels = 8", "channels = nan"),
    "bool.toml": _changed("channels = 8", "channels = true"),
    "array.toml": _changed("channels = 8", "channels = [8]"),
    "date.toml": _changed("channels = 8", "channels = 2024-01-01"),
    "no-fabric.toml": CONTRACT_TEXT[CONTRACT_TEXT.index("[[tenant]]") :],
    "no-tenant.toml": "[fabric]\nchannels = 8\n",
    "tenant-table.toml": "[fabric]\nchannels = 8\n[tenant]\nname = 'a'\n",
    "fabric-number.toml": "fabric = 1\n",
    "same-name.toml": _changed('"decode-a"', '"prefill"'),
    "same-tag.toml": _changed("tag = 1", "tag = 0"),
    "tag-16.toml": _changed("tag = 1", "tag = 16"),
    "tag-minus.toml": _changed("tag = 1", "tag = -1"),
    "tag-text.toml": _changed("tag = 1", 'tag = "1"'),
    "markup.toml": _changed('"decode-a"', '"[red]a[/red]"'),
    "escape.toml": _changed('"decode-a"', '"\\u001b[31ma"'),
    "newline.toml": _changed('"decode-a"', '"a\\nb"'),
    "bell.toml": _changed("channels = 8", '"\\u0007\\u202e" = 8'),
    "no-name.toml": _changed('name = "decode-a"', ""),
    "over.toml": _tenant("guaranteed", '"400 GB/s"'),
    "rate-unit.toml": _tenant("guaranteed", '"40 GB"'),
    "rate-word.toml": _tenant("guaranteed", '"fast"'),
    "rate-huge.toml": _tenant("guaranteed", '"1e400 GB/s"'),
    "rate-zero.toml": _tenant("guaranteed", '"0 GB/s"'),
    "rate-minus.toml": _tenant("guaranteed", '"-1 GB/s"'),
    "rate-nan.toml": _tenant("guaranteed", "nan"),
    "rate-inf.toml": _tenant("burst", "inf"),
    "burst-small.toml": _tenant("burst", '"1 GB/s"'),
    "rate-bits.toml": _tenant("guaranteed_Gbps", "800"),
    "rate-bare.toml": _changed('guaranteed = "40.96 GB/s"', "guaranteed = 40.96 GB/s"),
    "slo-unit.toml": _tenant("latency_slo_ns", "500"),
    "tenant-twice.toml": CONTRACT_TEXT.replace("[[tenant]]", "[tenant]"),
    "slo-text.toml": _tenant("latency_slo", '"soon"'),
    "slo-minus.toml": _tenant("latency_slo", '"-1 us"'),
    "duration.toml": _tenant("burst_duration", '"1e30 s"'),
    "priority.toml": _tenant("priority", "16"),
    "priority-text.toml": _tenant("priority", '"high"'),
    "spelled.toml": _tenant("gauranteed", '"1 GB/s"'),
    "memory.toml": _changed('rate = "51.2 GB/s"', 'rate = "0 GB/s"'),
    "memory-kind.toml": _changed('rate = "51.2 GB/s"', "kind = 3"),
}
"""Contracts; ``c.toml`` is the good one."""

_GOOD = {"timestamp": 0, "input_length": 1000, "output_length": 5, "hash_ids": [0, 1]}
_HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def _line(**changes: object) -> str:
    return json.dumps(_GOOD) + "\n" + json.dumps(_GOOD | changes) + "\n"


TRACES: dict[str, Content] = {
    "t.jsonl": _line(),
    "t.csv": _HEADER + "2023-11-16 18:15:46.6805900,374,44\n",
    "empty.jsonl": "",
    "blank.jsonl": "\n\n",
    "zeros.jsonl": b"\0" * 100,
    "latin.jsonl": json.dumps(_GOOD).encode() + b"\n\xff\xfe\n",
    "half.jsonl": _line()[:-20],
    "array.jsonl": _line() + "[1]\n",
    "deep.jsonl": '{"timestamp": ' + "[" * 50_000,
    "nan.jsonl": _line(timestamp=float("nan")),
    "minus.jsonl": _line(timestamp=-1),
    "huge.jsonl": _line(timestamp=10**26),
    "digits.jsonl": '{"timestamp": ' + "9" * 5_000 + "}\n",
    "text.jsonl": _line(input_length="1000"),
    "bool.jsonl": _line(output_length=True),
    "blocks.jsonl": _line(hash_ids="all"),
    "markup.jsonl": _line(input_length="[red]x"),
    "escape.jsonl": '{"\x1b[31m": 1}\n',
    "escaped-value.jsonl": _line(output_length="\x1b[31m\u202e"),
    "folder.jsonl": _folder,
    "loop.jsonl": _loop,
    "header.csv": "TIME,Context\n1,2\n",
    "no-rows.csv": _HEADER,
    "short.csv": _HEADER + "2023-11-16 18:15:46.6805900,374\n",
    "when.csv": _HEADER + "yesterday,374,44\n",
    "tokens.csv": _HEADER + "2023-11-16 18:15:46.6805900,=1+1,44\n",
    "minus.csv": _HEADER + "2023-11-16 18:15:46.6805900,-3,44\n",
    "huge.csv": _HEADER + f"2023-11-16 18:15:46.6805900,{10**26},44\n",
    "escape.csv": _HEADER + "\x1b]0;x\x07,374,44\n",
}
"""Traces; ``t.jsonl`` and ``t.csv`` are good."""

FILES: dict[str, Content] = {
    **CONTRACTS,
    **TRACES,
    "file": "a file\n",
    "old.json": '{"old": true}\n',
    "folder": _folder,
    "loop": _loop,
    "socket": _socket,
    "bad\x1b[31m[red].toml": "[fabric\n",
    "no-json.json": "not JSON",
    "list.json": "[]",
    "number.json": "7",
    "strange.json": '{"scenario": 1, "config": {"tenants": "\\u001b[31m"}}',
    "link.toml": lambda path: path.symlink_to("c.toml"),
    "hard.toml": lambda path: path.hardlink_to(path.parent / "c.toml"),
}
"""All of them, and what belongs to no kind. What links to another file comes after it."""
