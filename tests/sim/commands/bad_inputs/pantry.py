"""Files that bad inputs name, good ones and bad ones."""

import json
import os
import struct
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import HEADER_WORDS, IMAGE_MAGIC, HeaderWord
from mcos_policy.image import encode
from mcos_policy.samples import SAMPLES
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from tests.sim.commands.bad_inputs.runner import Content

__all__ = [
    "CONTRACTS",
    "CONTRACT_TEXT",
    "FILES",
    "TRACES",
    "TRAFFIC",
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


def _image(*words: int) -> bytes:
    """The beginning of an image."""
    return struct.pack(f"<{len(words)}I", *words)


def _headed(map_hash: int | None = None) -> bytes:
    """The header of an image for the default hardware, and zeros up to its length."""
    config = ChannelConfig()
    registers = channel_map(config)
    settings = Settings(
        channel=ChannelSettings(), tenants=tuple(TenantSettings() for _ in range(config.tenants))
    )
    words = list(encode(config, registers, settings, 0).words)
    if map_hash is not None:
        words[HeaderWord.MAP_HASH] = map_hash
    return _image(*words[:HEADER_WORDS], *[0] * (len(words) - HEADER_WORDS))


CONTRACTS: dict[str, Content] = {
    "c.toml": CONTRACT_TEXT,
    "short.img": _image(IMAGE_MAGIC),
    "odd.img": _image(IMAGE_MAGIC, *range(5)) + b"odd",
    "other.img": _headed(0xABCD),
    "bad.img": _headed(),
    "large.img": _image(IMAGE_MAGIC) + bytes(1 << 20),
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
    "rate-zero.toml": _changed(
        'guaranteed = "40.96 GB/s"  # 0.10 of capacity\nburst = "409.6 GB/s" ',
        'guaranteed = "0 GB/s"\nwork_conserving = false\n#',
    ),
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


def _asks(pattern: str, *lines: str) -> str:
    """A traffic file in which decode-a has a pattern and further keys."""
    return "\n".join(["[traffic.decode-a]", f'pattern = "{pattern}"', *lines]) + "\n"


_TRACE = 'file = "batch.csv"'

TRAFFIC: dict[str, Content] = {
    "t-good.toml": _asks("closed", "window = 16"),
    "t-empty.toml": "",
    "t-folder.toml": _folder,
    "t-loop.toml": _loop,
    "t-zeros.toml": b"\0" * 100,
    "t-syntax.toml": "[traffic\n",
    "t-deep.toml": "a = " + "[" * 5_000,
    "t-contract.toml": CONTRACT_TEXT,
    "t-number.toml": "traffic = 1\n",
    "t-array.toml": "[[traffic]]\n",
    "t-nothing.toml": "[traffic.decode-a]\nwindow = 3\n",
    "t-default.toml": "[traffic]\nwindow = 3\n",
    "t-pattern.toml": _asks("stedy"),
    "t-pattern-number.toml": "[traffic.decode-a]\npattern = 3\n",
    "t-stranger.toml": '[traffic.chat]\npattern = "idle"\n',
    "t-near.toml": '[traffic.decode-d]\npattern = "idle"\n',
    "t-key.toml": _asks("steady", "window = 3"),
    "t-window.toml": _asks("closed"),
    "t-window-0.toml": _asks("closed", "window = 0"),
    "t-window-4096.toml": _asks("closed", "window = 4096"),
    "t-window-text.toml": _asks("closed", 'window = "16"'),
    "t-rate.toml": _asks("steady", 'rate = "10 GB"'),
    "t-rate-0.toml": _asks("steady", 'rate = "0 GB/s"'),
    "t-rate-nan.toml": _asks("steady", "rate = nan"),
    "t-on.toml": _asks("on-off", 'rate = "1 GB/s"', 'on = "0 us"', 'off = "1 us"'),
    "t-think.toml": _asks("closed", "window = 3", "think = 5"),
    "t-step.toml": _asks("closed", "window = 3", 'step = "0 B"'),
    "t-request.toml": _asks("steady", 'request = "100 B"'),
    "t-request-16.toml": _asks("steady", 'request = "16 B"'),
    "t-request-1k.toml": _asks("steady", 'request = "1 KiB"'),
    "t-request-none.toml": _asks("steady", "request = []"),
    "t-share.toml": _asks("steady", "write_share = 1.01"),
    "t-share-nan.toml": _asks("steady", "write_share = nan"),
    "t-share-true.toml": _asks("steady", "write_share = true"),
    "t-start.toml": _asks("steady", 'start = "1 ms"'),
    "t-stop.toml": _asks("steady", 'start = "3 us"', 'stop = "2 us"'),
    "t-model.toml": _asks("trace", _TRACE, 'model = "gpt"', 'phase = "decode"'),
    "t-phase.toml": _asks("trace", _TRACE, 'model = "llama-3-8b"', 'phase = "both"'),
    "t-half.toml": _asks("trace", _TRACE, 'model = "llama-3-8b"'),
    "t-escape.toml": '[traffic."\\u001b[31m"]\npattern = "idle"\n',
    "t-no-file.toml": _asks("trace", 'file = "nowhere.csv"'),
    "t-bad-csv.toml": _asks("trace", 'file = "bad.csv"'),
    "t-idle.toml": '[traffic]\npattern = "idle"\n',
    "t-batch.toml": _asks("trace", _TRACE),
    "batch.csv": "time_ns,op,bytes\n0,R,64\n",
    "bad.csv": "time_ns,op,bytes\n0,X,64\n",
}
"""Traffic files; ``t-good.toml`` is good."""

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
