"""Traces for people who have none: seeded, in both formats."""

import dataclasses
import datetime
import json

import numpy as np

from mcos_sim.conversations.generate import KINDS, converse
from mcos_sim.errors import UserError
from mcos_sim.traffic import azure, mooncake
from mcos_sim.traffic.trace import FORMATS

__all__ = [
    "GENERATED",
    "PROFILES",
    "Profile",
    "generate_trace",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """Statistics of a generated trace.

    Arrivals are Poisson; token counts are log-normal, given by their median and by sigma of the
    logarithm. A request continues an earlier conversation with probability ``follow_up``: it
    then begins with the full prefix blocks of an earlier request, as far as it is long enough.

    Parameters
    ----------
    requests_per_second : float
        Mean arrival rate.
    input_median, input_sigma, input_limit : float, float, int
        Prompt tokens.
    output_median, output_sigma, output_limit : float, float, int
        Generated tokens.
    follow_up : float
        Share of requests that reuse the blocks of an earlier one.
    """

    requests_per_second: float
    input_median: float
    input_sigma: float
    input_limit: int
    output_median: float
    output_sigma: float
    output_limit: int
    follow_up: float


PROFILES = {
    # Fitted to p50 / p90 and p50 / p99 of kvcache-ai/Mooncake, conversation_trace.jsonl.
    mooncake.FORMAT: Profile(
        requests_per_second=3.4,
        input_median=6909,
        input_sigma=1.074,
        input_limit=126_195,
        output_median=350,
        output_sigma=0.5,
        output_limit=2000,
        follow_up=0.4,
    ),
    # Fitted to p50 / p99 of Azure/AzurePublicDataset, AzureLLMInferenceTrace_conv.csv.
    azure.FORMAT: Profile(
        requests_per_second=5.5,
        input_median=1020,
        input_sigma=0.603,
        input_limit=14_050,
        output_median=129,
        output_sigma=0.662,
        output_limit=1000,
        follow_up=0.0,
    ),
}
"""What each format's generator imitates."""

GENERATED = (*FORMATS, *KINDS)
"""Names of what can be generated: a format by its profile, or conversations of a kind."""

MAX_REQUESTS = 1_000_000

_MOST_BLOCKS = 30_000_000
"""Blocks of all prompts of generated conversations; a longer trace could not be read."""

_OUTPUT_SIGMA = 0.7

FIRST_ARRIVAL = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def _lognormal_tokens(
    rng: np.random.Generator, requests: int, median: float, sigma: float, limit: int
) -> np.ndarray:
    tokens = np.rint(rng.lognormal(np.log(median), sigma, requests))
    return np.clip(tokens, 1, limit).astype(np.int64)


def _prefix_blocks(
    rng: np.random.Generator, input_tokens: np.ndarray, follow_up: float
) -> list[list[int]]:
    """Block ids of each prompt: block 0 is shared by all, follow-ups extend an earlier prompt."""
    blocks: list[list[int]] = []
    unused = 1
    follows = rng.random(len(input_tokens)) < follow_up
    parents = rng.random(len(input_tokens))
    counts = -(-input_tokens // mooncake.BLOCK_TOKENS)
    for index, count in enumerate(counts.tolist()):
        follows_one = index and follows[index]
        parent = blocks[int(parents[index] * index)] if follows_one else [0]
        # The last block of a prompt is seldom full, so that its continuation has another one.
        shared = parent[: max(1, min(len(parent), count) - 1)]
        fresh = count - len(shared)
        blocks.append([*shared, *range(unused, unused + fresh)])
        unused += fresh
    return blocks


def generate_trace(format: str, *, requests: int, seed: int) -> str:
    """Text of a generated trace; the same arguments give the same text.

    Parameters
    ----------
    format : str
        One of :data:`GENERATED`.
    requests : int
        Requests in it, 1 to a million.
    seed : int
        Seed of everything random in it, 0 or more.

    Raises
    ------
    UserError
        If the format is unknown, or a number is out of its range.
    """
    if format not in GENERATED:
        raise UserError(f"format must be one of {', '.join(GENERATED)}, not {format!r}")
    if not 1 <= requests <= MAX_REQUESTS:
        raise UserError(f"requests must be in 1..{MAX_REQUESTS}, not {requests!r}")
    if seed < 0:
        raise UserError(f"seed must be 0 or more, not {seed!r}")
    if format in KINDS:
        return _conversations(format, requests=requests, seed=seed)
    profile = PROFILES[format]
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / profile.requests_per_second, requests)
    seconds = np.cumsum(gaps) - gaps[0]
    input_tokens = _lognormal_tokens(
        rng, requests, profile.input_median, profile.input_sigma, profile.input_limit
    )
    output_tokens = _lognormal_tokens(
        rng, requests, profile.output_median, profile.output_sigma, profile.output_limit
    )
    rows = zip(seconds.tolist(), input_tokens.tolist(), output_tokens.tolist(), strict=True)
    if format == azure.FORMAT:
        lines = [",".join(azure.COLUMNS)]
        for second, prompt, output in rows:
            ticks = round(second * 10**7)
            date = FIRST_ARRIVAL + datetime.timedelta(seconds=ticks // 10**7)
            lines.append(f"{date:%Y-%m-%d %H:%M:%S}.{ticks % 10**7:07d},{prompt},{output}")
    else:
        blocks = _prefix_blocks(rng, input_tokens, profile.follow_up)
        lines = [
            json.dumps(
                {
                    "timestamp": int(second * 1000) // mooncake.BUCKET_MS * mooncake.BUCKET_MS,
                    "input_length": prompt,
                    "output_length": output,
                    "hash_ids": ids,
                }
            )
            for (second, prompt, output), ids in zip(rows, blocks, strict=True)
        ]
    return "\n".join(lines) + "\n"


def _conversations(name: str, *, requests: int, seed: int) -> str:
    """Conversations with a tenant a request, which Mooncake's own traces have not."""
    kind = KINDS[name]
    made = converse(kind, requests=requests, seed=seed)
    if len(made.blocks) > _MOST_BLOCKS:
        raise UserError(
            f"requests must be fewer, not {requests:,} with {len(made.blocks):,} prefix blocks: "
            f"at most {_MOST_BLOCKS:,} fit in a trace that can be read"
        )
    rng = np.random.default_rng(seed)
    milliseconds = np.cumsum(rng.exponential(1000 / kind.requests_per_second, requests))
    counts = np.diff(made.offsets)
    prompts = counts * mooncake.BLOCK_TOKENS - rng.integers(0, mooncake.BLOCK_TOKENS, requests)
    outputs = _lognormal_tokens(rng, requests, kind.output_median, _OUTPUT_SIGMA, 4000)
    lines = []
    for index, (first, end) in enumerate(
        zip(made.offsets[:-1].tolist(), made.offsets[1:].tolist(), strict=True)
    ):
        request = {
            "timestamp": int(milliseconds[index]),
            "input_length": int(prompts[index]),
            "output_length": int(outputs[index]),
            "tenant": f"tenant-{made.tenants[index]}",
            "hash_ids": made.blocks[first:end].tolist(),
        }
        lines.append(json.dumps(request))
    return "\n".join(lines) + "\n"
