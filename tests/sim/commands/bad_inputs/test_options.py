"""Options and arguments that are out of range, unknown, missing or too many."""

import pytest

from tests.sim.commands.bad_inputs.pantry import FILES
from tests.sim.commands.bad_inputs.runner import check, ids

ROWS = [
    ("init --sample nothing", "--sample must be one of decode-prefill-fpga, decode-prefill-hbm3, "),
    ("init new --sample \x1b[31m[red]", "not '\\x1b[31m[red]'; choose one"),
    ("init --list new", "--list must come alone, without DIR and --sample"),
    ("init --list --sample sixteen", "--list must come alone, without DIR and --sample"),
    ("init new more", "Got unexpected extra argument(s) (more)"),
    ("compile c.toml -o x.img --tenants 5", "tenants must be a power of two, not 5"),
    ("compile c.toml -o x.img --tenants many", "--tenants must be a whole number, not 'many'"),
    (
        "compile c.toml -o x.img --tenants 99999999999999999999999999",
        "tenants must be in 4..16, not 99999999999999999999999999",
    ),
    ("compile c.toml", "Missing option '--output' / '-o'"),
    ("diff", "Missing argument 'A', and 'B'; see mcos diff --help"),
    ("compile", "Missing argument 'CONTRACT', and '--output' / '-o'; see mcos compile --help"),
    ("explain c.toml --tenants 32", "tenants must be in 4..16, not 32"),
    ("explain c.toml --tenants 4.5", "--tenants must be "),
    ("explain c.toml extra", "Got unexpected extra argument(s) (extra)"),
    ("explain c.toml --colour", "No such option: --colour"),
    ("explain c.toml --\x1b[31m[red]", "No such option: --\\x1b[31m[red]"),
    ("explain c.toml \x1b[31m[red]", "Got unexpected extra argument(s) (\\x1b[31m[red])"),
    ("verilog", "Missing option '--output' / '-o'"),
    ("verilog -o v --tenants 5", "tenants must be a power of two, not 5"),
    (
        "verilog -o v --arbiter \x1b[31m",
        "arbiter must be one of mcos, fcfs, round-robin, fixed-priority, not '\\x1b[31m'",
    ),
    ("verilog -o v --target \x1b[31m[red]", "one of generic, ulx3s, not '\\x1b[31m[red]'"),
    ("size --hardware --target \x1b[31m", "figures must be of a size that was measured, not of"),
    ("size --batch 3", "--tokens-per-second, --context, --tbt, --channels must be given"),
    ("metrics c.toml --listen 9464", "--listen must be HOST:PORT with a port up to 65535, not"),
    ("metrics c.toml --listen 127.0.0.1:65536", "with a port up to 65535, not '127.0.0.1:65536'"),
    ("metrics c.toml --listen a\x1b[31m:1", "for example --listen 127.0.0.1:9464"),
    ("metrics c.toml --once --listen 127.0.0.1:1", "--once must not be given beside --listen"),
    ("metrics c.toml --offset 4", "--offset must be given with --mmap; leave it out"),
    ("metrics --mmap file --offset 4K", "--offset must be a number of bytes, not '4K'; write it"),
    ("metrics --mmap file --offset -4", "--offset must be a number of bytes, not '-4'; write it"),
    ("metrics --mmap file", "file must have at least 8192 bytes, not 7; give the file of the"),
    ("metrics --mmap file --clocks 5000", "--clocks must not be given with --mmap, whose hardware"),
    ("metrics --mmap file --traffic t-good.toml", "--traffic must not be given with --mmap"),
    (
        "metrics --mmap folder",
        "folder must be a file that can be mapped, not this (Is a directory)",
    ),
    ("metrics --mmap loop", "loop must be a file that can be mapped, not this (Too many levels"),
    ("metrics --mmap nowhere", "nowhere must be a file that can be mapped, not this (No such file"),
    ("metrics --mmap socket", "socket must be a file that can be mapped, not this (No such device"),
    (
        "metrics --mmap file --listen 127.0.0.1:1 --json x.json",
        "--json must not be given with --mmap and --listen, which end with Ctrl-C; leave one out",
    ),
    ("metrics c.toml --no-monitors", "the hardware must have counters, not be built without;"),
    ("metrics c.toml --clocks 1", "--clocks must be in 2000..100000000, not 1; give a larger one"),
    (
        "run c.toml --engine reference --waves c.vcd",
        "--waves FILE and --window A:B must be given together",
    ),
    (
        "run c.toml --engine reference --window 1:2",
        "--waves FILE and --window A:B must be given together",
    ),
    (
        "run c.toml --engine reference --waves c.vcd --window 5",
        "--window must be two clocks A:B with A before B, not '5'",
    ),
    (
        "run c.toml --engine reference --waves c.vcd --window 9:5",
        "--window must be two clocks A:B with A before B, not '9:5'",
    ),
    (
        "run c.toml --engine reference --waves c.vcd --window 0:5",
        "--window must begin in clock 1024 or later, when the image is loaded, not",
    ),
    (
        "run c.toml --waves c.vcd --window 99999999999999999999:999999999999999999999",
        "--window must be two clocks A:B with A before B, not",
    ),
    (
        "run c.toml --engine reference --waves c.vcd --window 2000:3000000",
        "--window must end by clock 200000, where the run ends, not 3000000",
    ),
    (
        "run c.toml --engine reference --clocks 100000000 --waves c.vcd --window 2000:3000000",
        "--window must be at most 1,000,000 clocks long, not 2,998,000",
    ),
    (
        "run c.toml --engine reference --waves c.txt --window 2000:3000",
        "--waves must name a .vcd file, not 'c.txt'",
    ),
    (
        "run c.toml --engine reference --clocks 1",
        "--clocks must be in 2000..100000000, not 1; give a larger one",
    ),
    (
        "run c.toml --engine reference --clocks 99999999999999999999999999",
        "--clocks must be ",
    ),
    ("run c.toml --engine reference --seed -1", "--seed must be "),
    ("run c.toml --engine reference --seed 4294967296", "--seed must be "),
    ("run c.toml --engine verilate", "not 'verilate'; did you mean verilated?"),
    ("run c.toml --engine abacus", "--engine must be one of cocotb, verilated, reference, not"),
    (
        "run c.toml --arbiter \x1b[31m",
        "--arbiter must be one of mcos, fcfs, round-robin, fixed-",
    ),
    ("run c.toml --workload none", "--workload must be one of"),
    ("run c.toml --memory clay", "--memory must be one of simple, hbm2, "),
    (
        "run c.toml --engine reference --record best",
        "--record must be violation, or worst:pN with N over 0 and at most 100, not",
    ),
    (
        "run c.toml --engine reference --record worst:p101",
        "--record must be violation, or worst:pN with N over 0 and at most 100, not",
    ),
    (
        "run c.toml --engine reference --record worst:p99:nobody",
        "--record must name a tenant that asks for something, not 'nobody'",
    ),
    (
        "run c.toml --engine reference --record violation --window 1:2",
        "--record chooses the window itself",
    ),
    (
        "run c.toml --engine cocotb --record violation",
        "--record violation needs --engine verilated, which is the same hardware, or",
    ),
    (
        "run c.toml --engine reference --trace t.jsonl --model abacus",
        "model must be one of llama-3-70b, llama-3-8b, not 'abacus'",
    ),
    (
        "run c.toml --engine reference --trace t.jsonl --requests 0",
        "--requests must be ",
    ),
    (
        "run c.toml --engine reference --trace t.jsonl --grants 10000000000",
        "--grants must be in 1..10000000, not 10000000000; give a smaller one",
    ),
    (
        "run c.toml --engine reference --trace t.jsonl",
        "requests must be in 1..2, the requests in t.jsonl, not 200",
    ),
    (
        "run --trace t.jsonl --model ../c",
        "model must be one of llama-3-70b, llama-3-8b, not '../c'",
    ),
    ("demo c.toml --clocks 5", "--clocks must be "),
    ("demo c.toml --seed x", "--seed must be "),
    ("sweep c.toml c.toml", "each contract must be named once"),
    (
        "sweep c.toml --seed 3:1",
        "--seed must be a number up to 4294967295, or A:B with A not after B, not '3:1'",
    ),
    (
        "sweep c.toml --seed x",
        "--seed must be a number up to 4294967295, or A:B with A not after B, not 'x'",
    ),
    (
        "sweep c.toml --seed 1:1000000000",
        "a sweep must have at most 100,000 points, not 1,000,000,000",
    ),
    (
        "sweep c.toml --seed 99999999999999999999999999",
        "--seed must be a number up to 4294967295, or A:B with A not after B, not",
    ),
    ("sweep c.toml --clocks 99999999999999999999", "--clocks must be "),
    ("sweep c.toml --clocks 1", "--clocks must be "),
    ("sweep c.toml --prefill-window 5000", "--prefill-window must be "),
    ("sweep c.toml --prefill-beats 17", "--prefill-beats must be "),
    ("sweep c.toml --credit 0", "--credit must be "),
    ("sweep c.toml --workers 0", "--workers must be "),
    ("sweep c.toml --workers 1000000", "--workers must be "),
    (
        "sweep c.toml --scheduler nowhere",
        "--scheduler must be the address of a running scheduler, not 'nowhere'",
    ),
    (
        "sweep c.toml --scheduler tcp://",
        "--scheduler must be the address of a running scheduler, not 'tcp://'",
    ),
    (
        "sweep c.toml --scheduler file:///etc/passwd",
        "--scheduler must be the address of a running scheduler, not",
    ),
    ("sweep c.toml --table t.xlsx", "--table must name a .csv or .parquet file, not 't.xlsx'"),
    ("sweep c.toml --table c.toml", "--table must name a .csv or .parquet file, not 'c.toml'"),
    ("sweep c.toml --engine \x1b[31m", "--engine must be one of cocotb, verilated, reference, not"),
    (
        "memory check missing",
        "missing/summary.csv must be a file of an oracle case, not this (No such",
    ),
    (
        "memory check file",
        "file/summary.csv must be a file of an oracle case, not this (Not a directory)",
    ),
    (
        "memory check folder",
        "folder/summary.csv must be a file of an oracle case, not this (No such",
    ),
    ("memory check folder --memory clay", "a memory must be one of hbm3, hbm3e, hbm2, not 'clay'"),
    ("memory colours c.toml --clocks 5", "--clocks must be "),
    ("memory conflicts c.toml --seed -5", "--seed must be "),
    ("memory", "Missing command"),
    ("memory \x1b[31m", "No such command '\\x1b[31m'"),
    ("trace", "give a trace FILE to show, or --generate mooncake -o TRACE"),
    ("trace t.jsonl -o x", "-o must come with --generate"),
    ("trace t.jsonl --model abacus", "model must be one of llama-3-70b, llama-3-8b, not 'abacus'"),
    ("trace t.jsonl --channels 4", "--channels must come with --model, whose bytes it divides"),
    ("trace t.jsonl --model llama-3-70b --channels 0", "--channels must be "),
    ("trace t.jsonl --seed -1", "--seed must be "),
    ("trace --generate mooncake", "--generate must come with -o TRACE, the file to write"),
    (
        "trace --generate abacus -o x",
        "format must be one of mooncake, azure, sessions, agents, not 'abacus'",
    ),
    ("trace --generate mooncake --requests 0 -o x", "--requests must be "),
    ("trace --generate mooncake --requests 1000000000 -o x", "--requests must be "),
    (
        "trace --generate mooncake --requests 99999999999999999999999999 -o x",
        "--requests must be ",
    ),
    (
        "trace --generate mooncake --seed 99999999999999999999999999 -o x",
        "--seed must be ",
    ),
    (
        "trace t.jsonl --generate azure -o x",
        "--generate must come without FILE, --model, --channels and --json",
    ),
    (
        "timing --target \x1b[31m",
        "target must be asap7 or one of ecp5, ecp5-6, ultrascale+, asap7-registers,",
    ),
    ("timing --tenants 5", "tenants must be a power of two, not 5"),
    ("timing --tenants -4", "tenants must be in 4..16, not -4"),
    ("timing --lateness 9", "lateness must be in 0..3, not 9"),
    ("timing --lateness -1", "lateness must be in 0..3, not -1"),
    ("timing --seeds 0", "--seeds must be in 1..99, not 0; give a larger one"),
    ("timing --paths 101", "--paths must be "),
    (
        "timing --target ecp5 --json no-json.json",
        "no-json.json must be a result of this command, not something else",
    ),
    (
        "timing --target ecp5 --json list.json",
        "list.json must be a result of this command, not something else",
    ),
    (
        "timing --target ecp5 --json number.json",
        "number.json must be a result of this command, not something else",
    ),
    ("lockstep --tenants 5", "tenants must be a power of two, not 5"),
    ("timing --grant-interval 2", "grant_interval must be 1 or 4..8, not 2"),
    ("lockstep --grant-interval 9", "grant_interval must be in 1..8, not 9"),
    ("lockstep --grant-interval 4 --lateness 1", "lateness must be 0 with a grant_interval of 4"),
    ("lockstep --lateness 4", "lateness must be in 0..3, not 4"),
    ("lockstep --lateness -1", "lateness must be in 0..3, not -1"),
    ("lockstep --cases 0", "--cases must be "),
    ("lockstep --cases 10000000", "--cases must be "),
    ("lockstep --clocks 5", "--clocks must be "),
    ("lockstep --seed -1", "--seed must be "),
    ("lockstep --workers 0", "--workers must be "),
    (
        "lockstep --reproduce missing.json",
        "missing.json must be a case to run again (No such file or directory)",
    ),
    ("lockstep --reproduce no-json.json", "no-json.json must be a case as mcos lockstep writes it"),
    ("lockstep --reproduce list.json", "list.json must be a case as mcos lockstep writes it"),
    ("lockstep --reproduce number.json", "number.json must be a case as mcos lockstep writes it"),
    ("lockstep --reproduce strange.json", "strange.json must be a case as mcos lockstep writes it"),
    ("lockstep --reproduce folder", "folder must be a case to run again (Is a directory)"),
    (
        "lockstep --reproduce loop",
        "loop must be a case to run again (Too many levels of symbolic links)",
    ),
    ("soak --cases 0", "--cases must be "),
    ("soak --runs 1", "--runs must be "),
    ("soak --clocks 5", "--clocks must be "),
    ("soak --clocks 99999999999", "--clocks must be "),
    ("bench --scale 0", "--scale must be "),
    ("bench --scale nan", "--scale must be in 0.001..100, not 'nan'; write a number"),
    ("bench --scale inf", "--scale must be "),
    ("bench --scale 1e9", "--scale must be "),
    ("fullscale c.toml --steps 3", "--steps must be "),
    ("fullscale c.toml --steps 100000", "--steps must be "),
    ("fullscale c.toml --memory clay", "--memory must be one of simple, hbm2, "),
    ("run c.toml --record worst:p" + "9" * 5_000, "--record must be violation, or worst:pN"),
    ("explian", "No such command 'explian'. Did you mean 'explain'?"),
    ("--colour", "No such option: --colour"),
]


@pytest.mark.parametrize(("line", "says"), ROWS, ids=ids(ROWS))
def test_a_bad_input_is_one_line(line, says, tmp_path, capsys, monkeypatch):
    check(line, says, FILES, tmp_path, capsys, monkeypatch)
