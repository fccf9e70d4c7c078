"""A transcript that differs is told."""

import pytest

from mcos_sim.progress import Work
from tests.docs.transcript import Transcript, differing_line, is_progress

PAGE = """
```text kept.txt
one
two
```

```diff kept.txt
-one
+1
```

```console
$ cat \\
    kept.txt
1
two
$ mkdir inner
$ cd inner
$ ls ..
...
kept.txt
$ false
$ echo $?
1
```
"""


@pytest.mark.parametrize(
    ("shown", "printed", "told"),
    [
        ([], [], None),
        (["a"], ["a"], None),
        (["a"], ["b"], "'a', not 'b'"),
        (["a"], [], "'a'"),
        ([], ["a"], "an end, not 'a'"),
        (["..."], ["a", "b"], None),
        (["...", "b"], ["a", "b"], None),
        (["...", "b"], ["b"], None),
        (["...", "b"], ["a", "b", "c"], "an end, not 'c'"),
        (["...", "c"], ["a", "b"], "'c'"),
        (["a", "..."], ["b"], "'a', not 'b'"),
    ],
)
def test_the_first_line_that_differs_is_told(shown, printed, told):
    assert differing_line(shown, printed) == told


def test_a_page_is_run_from_top_to_bottom(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    folder = tmp_path / "folder"
    folder.mkdir()
    transcript = Transcript(page, folder)
    assert transcript.run() == PAGE
    assert transcript.commands == 6
    assert transcript.folder == folder / "inner"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("-one", "-three"), ("1\ntwo\n$ mkdir", "1\n$ mkdir"), ("$ echo $?\n1", "$ echo $?\n2")],
)
def test_a_page_that_is_not_right_fails(tmp_path, right, wrong):
    page = tmp_path / "page.md"
    assert PAGE.count(right) == 1
    page.write_text(PAGE.replace(right, wrong))
    with pytest.raises(AssertionError):
        Transcript(page, tmp_path).run()


def test_a_page_is_refreshed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("1\ntwo\n$ mkdir", "old\n$ mkdir").replace("$?\n1", "$?\n2"))
    folder = tmp_path / "folder"
    folder.mkdir()
    assert Transcript(page, folder).run(refresh=True) == PAGE


@pytest.mark.parametrize("seconds", [0, 59, 60, 3599, 3600, 86400])
@pytest.mark.parametrize("amount", [0, 1, 50, 100])
def test_progress_is_told_from_results(seconds, amount):
    now = [0.0]
    work = Work("Running mcos on the verilated RTL", 100, unit="clocks", now=lambda: now[0])
    now[0] = float(seconds)
    work(amount)
    assert is_progress(work.line())
    assert is_progress(f"{work.description}: done in 4 s")
    for line in ("chat: kept: worst 181 ns, promised 2.01 us", "span: 3 ms", "waveform: w.vcd"):
        assert not is_progress(line)
