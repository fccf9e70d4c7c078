"""What the ASAP7 flow decides and reads."""

import pytest

from mcos_sim.errors import InternalError
from mcos_sim.synthesis.asap7 import Asap7, abc_delay_ps, is_queue


def test_queue_memories_are_known_by_name():
    assert is_queue("controller.channel.queues.requests")
    assert is_queue("controller.channel.queue_3.rows")
    assert not is_queue("controller.channel.slots.ring")


def test_last_delay_of_abc_counts():
    log = "ABC: Area = 10 Delay =  1567.42 ps\nABC: Area = 9 Delay =   901.50 ps ( 1 %)\n"
    assert abc_delay_ps(log) == 901.5
    with pytest.raises(InternalError, match="must end with the delay"):
        abc_delay_ps("ABC: nothing")


def test_absent_library_leaves_the_target_out(tmp_path, monkeypatch):
    monkeypatch.setenv("MCOS_SHARED", str(tmp_path))
    assert Asap7(queues="blackbox").missing() == (
        "the ASAP7 liberty files must be in pdk/asap7 below MCOS_SHARED, and are not; "
        "asap7-ss-blackbox is left out"
    )
