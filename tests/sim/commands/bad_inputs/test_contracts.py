"""Contracts that cannot be compiled, over the commands that take one."""

import pytest

from tests.sim.commands.bad_inputs.pantry import FILES
from tests.sim.commands.bad_inputs.runner import check, ids

ROWS = [
    ("explain empty.toml", "empty.toml: error: a contract must not be empty"),
    ("explain comment.toml", "comment.toml: error: a contract must not be empty"),
    ("explain zeros.toml", "zeros.toml:1:1: error: a contract must be TOML, not this"),
    (
        "explain latin.toml",
        "latin.toml:1:12: error: a contract must be UTF-8 text, not the byte 0xe9",
    ),
    (
        "explain large.toml",
        "large.toml: error: a contract must have at most 1048576 bytes, not more",
    ),
    ("explain folder.toml", "folder.toml: error: a contract must be a file, not a directory"),
    (
        "explain loop.toml",
        "loop.toml: error: a contract must be a readable file, not this (Too many",
    ),
    (
        "explain dangling.toml",
        "dangling.toml: error: a contract must be a file that exists, not this",
    ),
    (
        "explain missing.toml",
        "missing.toml: error: a contract must be a file that exists, not this",
    ),
    (
        "explain decode-prefil",
        "not this; correct the path, or did you mean the sample decode-prefill?",
    ),
    ("explain /dev/null", "/dev/null: error: a contract must not be empty"),
    ("explain /dev/zero", "/dev/zero: error: a contract must have at most 1048576 bytes, not more"),
    ("explain syntax.toml", "syntax.toml:1:8: error: a contract must be TOML, not this"),
    ("explain json.toml", "json.toml:1:1: error: a contract must be TOML, not this"),
    (
        "explain twice.toml",
        "twice.toml:6:1: error: key 'channels' must appear once, not again here",
    ),
    ("explain unknown.toml", "unknown.toml:5:1: error: a key of [fabric] must be one of channels,"),
    (
        "explain deep.toml",
        "deep.toml: error: values must be nested a few levels deep, not by hundreds",
    ),
    ("explain digits.toml", "digits.toml: error: integers must have at most 4300 digits, not more"),
    ("explain big.toml", "big.toml:5:12: error: channels must be an integer in 1..1024, not"),
    (
        "explain nothing.toml",
        "nothing.toml:5:12: error: channels must be an integer in 1..1024, not 0",
    ),
    (
        "explain minus.toml",
        "minus.toml:5:12: error: channels must be an integer in 1..1024, not -8",
    ),
    ("explain text.toml", 'text.toml:5:12: error: channels must be an integer in 1..1024, not "8"'),
    (
        "explain float.toml",
        "float.toml:5:12: error: channels must be an integer in 1..1024, not 8.5",
    ),
    ("explain nan.toml", "nan.toml:5:12: error: channels must be an integer in 1..1024, not nan"),
    (
        "explain bool.toml",
        "bool.toml:5:12: error: channels must be an integer in 1..1024, not true",
    ),
    (
        "explain array.toml",
        "array.toml:5:12: error: channels must be an integer in 1..1024, not [8]",
    ),
    (
        "explain date.toml",
        "date.toml:5:12: error: channels must be an integer in 1..1024, not 2024-01-01",
    ),
    ("explain no-fabric.toml", "no-fabric.toml:1:1: error: a contract must have the key fabric"),
    ("explain no-tenant.toml", "no-tenant.toml:1:1: error: a contract must have the key tenant"),
    (
        "explain tenant-table.toml",
        "tenant-table.toml:3:2: error: [[tenant]] must be an array of at least one",
    ),
    (
        "explain fabric-number.toml",
        "fabric-number.toml:1:1: error: a contract must have the key tenant",
    ),
    (
        "explain same-name.toml",
        "same-name.toml:23:8: error: name must be unique, and tenant 1 of the file has",
    ),
    (
        "explain same-tag.toml",
        "same-tag.toml:14:7: error: tag must be unique, and prefill and decode-a have",
    ),
    (
        "explain tag-16.toml",
        "tag-16.toml:24:7: error: tag must be in 0..15, the tags of the hardware, not 16",
    ),
    (
        "explain tag-minus.toml",
        "tag-minus.toml:24:7: error: tag must be an integer of at least 0, not -1",
    ),
    (
        "explain tag-text.toml",
        'tag-text.toml:24:7: error: tag must be an integer of at least 0, not "1"',
    ),
    (
        "explain markup.toml",
        "markup.toml:23:8: error: name must be 1 to 32 of the characters a-z, 0-9",
    ),
    (
        "explain escape.toml",
        "escape.toml:23:8: error: name must be 1 to 32 of the characters a-z, 0-9",
    ),
    (
        "explain newline.toml",
        "newline.toml:23:8: error: name must be 1 to 32 of the characters a-z, 0-9",
    ),
    ("explain bell.toml", "bell.toml:4:2: error: [fabric] must have the key channels"),
    ("explain no-name.toml", "no-name.toml:22:3: error: [[tenant]] must have the key name"),
    ("explain over.toml", "over.toml:13:14: error: the sum of guarantees must be at most 348.16"),
    (
        "explain rate-unit.toml",
        'rate-unit.toml:13:14: error: guaranteed must be a rate such as "120 GB/s", not "40 GB"',
    ),
    (
        "explain rate-word.toml",
        'rate-word.toml:13:14: error: guaranteed must be a rate such as "120 GB/s", not "fast"',
    ),
    (
        "explain rate-huge.toml",
        'rate-huge.toml:13:14: error: guaranteed must be a rate such as "120 GB/s", not',
    ),
    (
        "explain rate-zero.toml",
        "rate-zero.toml:18:19: error: work_conserving must be true for a tenant with neither",
    ),
    (
        "explain rate-minus.toml",
        'rate-minus.toml:13:14: error: guaranteed must be at least 0, not "-1 GB/s"',
    ),
    (
        "explain rate-nan.toml",
        'rate-nan.toml:13:14: error: guaranteed must be a rate such as "120 GB/s", not nan',
    ),
    (
        "explain rate-inf.toml",
        'rate-inf.toml:13:9: error: burst must be a rate such as "120 GB/s", not inf',
    ),
    (
        "explain burst-small.toml",
        "burst-small.toml:13:9: error: burst must be at least the guarantee of 40.96",
    ),
    (
        "explain rate-bits.toml",
        '; write guaranteed = "100 GB/s" if bits are meant, eight to a byte',
    ),
    (
        "explain rate-bare.toml",
        'a quantity must be in quotes, not 40.96 GB/s; write guaranteed = "40',
    ),
    ("explain slo-unit.toml", "not 'latency_slo_ns'; write latency_slo = \"500 ns\""),
    (
        "explain tenant-twice.toml",
        "tenant-twice.toml:22:2: error: several tables must begin with [[tenant]], in double brack",
    ),
    (
        "explain slo-text.toml",
        'slo-text.toml:13:15: error: latency_slo must be a duration such as "2 ms", not "soon"',
    ),
    (
        "explain slo-minus.toml",
        'slo-minus.toml:13:15: error: latency_slo must be over 0, not "-1 us"',
    ),
    (
        "explain duration.toml",
        "duration.toml:13:18: error: burst_duration must be at most 5.242879 ms at",
    ),
    (
        "explain priority.toml",
        "priority.toml:13:12: error: priority must be an integer in 0..15, not 16",
    ),
    (
        "explain priority-text.toml",
        'priority-text.toml:13:12: error: priority must be an integer in 0..15, not "high"',
    ),
    (
        "explain spelled.toml",
        "spelled.toml:13:1: error: a key of [tenant.bandwidth] must be one of",
    ),
    ("explain memory.toml", 'memory.toml:10:8: error: rate must be over 0, not "0 GB/s"'),
    (
        "explain memory-kind.toml",
        "memory-kind.toml:10:1: error: a key of [memory] must be one of colour_bits,",
    ),
    (
        "explain bad\x1b[31m[red].toml",
        "bad\\x1b[31m[red].toml:1:8: error: a contract must be TOML, not this",
    ),
    (
        "compile missing.toml -o x.img",
        "missing.toml: error: a contract must be a file that exists, not this",
    ),
    ("run missing.toml", "missing.toml: error: a contract must be a file that exists, not this"),
    ("demo missing.toml", "missing.toml: error: a contract must be a file that exists, not this"),
    ("demo over.toml", "over.toml:13:14: error: the sum of guarantees must be at most 348.16"),
    ("sweep missing.toml", "missing.toml: error: a contract must be a file that exists, not this"),
    (
        "memory colours missing.toml",
        "missing.toml: error: a contract must be a file that exists, not this",
    ),
    (
        "memory conflicts missing.toml",
        "missing.toml: error: a contract must be a file that exists, not this",
    ),
    ("diff missing.toml c.toml", "missing.toml: error: a contract must be a file that exists, not"),
    ("diff c.toml missing.toml", "missing.toml: error: a contract must be a file that exists, not"),
    (
        "diff c.toml over.toml",
        "over.toml:13:14: error: the sum of guarantees must be at most 348.16",
    ),
    ("diff c.toml folder.toml", "folder.toml: error: a contract must be a file, not a directory"),
    (
        "diff c.toml loop.toml",
        "loop.toml: error: a contract must be a readable file, not this (Too",
    ),
    ("diff c.toml c.toml --tenants 5", "tenants must be a power of two, not 5; the hardware has"),
    (
        "diff c.toml short.img",
        "short.img: error: an image must be at least 9 words of 4 bytes, not 4",
    ),
    ("diff odd.img c.toml", "odd.img: error: an image must be at least 9 words of 4 bytes, not 27"),
    ("diff other.img c.toml", "other.img: error: an image must be of hardware that this version"),
    ("diff large.img c.toml", "large.img: error: an image must have at most 1 MiB, not more"),
    (
        "diff bad.img c.toml",
        "bad.img: error: an image must be one that the hardware takes, not one",
    ),
    ("diff c.toml c.toml --json c.toml", "c.toml"),
    ("bench missing.toml", "missing.toml: error: a contract must be a file that exists, not this"),
    (
        "fullscale missing.toml",
        "missing.toml: error: a contract must be a file that exists, not this",
    ),
]


@pytest.mark.parametrize(("line", "says"), ROWS, ids=ids(ROWS))
def test_a_bad_input_is_one_line(line, says, tmp_path, capsys, monkeypatch):
    check(line, says, FILES, tmp_path, capsys, monkeypatch)
