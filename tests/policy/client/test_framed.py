"""Register accesses in frames: what goes over the line, and what may go wrong on it."""

import pytest

from mcos_hw.registers.frames import (
    ANSWER_MARK,
    MOST_WORDS,
    REGION_WIDTH,
    FrameCommand,
    FrameStatus,
)
from mcos_policy.client import ClientError
from mcos_policy.client.framed import FramedTransport, Window, crc_of, request_bytes
from tests.policy.client.fake_board import FakeBoard, PipeLine

LANE = 1 << REGION_WIDTH


@pytest.fixture
def board():
    return FakeBoard()


@pytest.fixture
def transport(board):
    return FramedTransport(PipeLine(board))


def test_a_request_is_these_bytes():
    request = request_bytes(FrameCommand.WRITE, 0x123456, count=1, words=[0xA1B2C3D4])
    assert request[:-2].hex(" ") == "a5 02 01 56 34 12 d4 c3 b2 a1"
    # CRC-16/IBM-3740, whose check value over "123456789" is 0x29b1.
    assert crc_of(b"123456789") == bytes.fromhex("29b1")
    assert request[-2:] == crc_of(request[1:-2])


def test_writes_to_one_address_go_in_one_frame_before_the_next_read(board, transport):
    for word in range(MOST_WORDS + 3):
        transport.write32(LANE + 0x2000, word)
    assert board.frames == 1
    transport.write32(LANE + 0x2004, 9)
    assert board.frames == 2
    assert transport.read32(LANE + 0x2000) == MOST_WORDS + 2
    assert board.frames == 4
    wanted = [(1, 0x2000, word) for word in range(MOST_WORDS + 3)]
    assert board.written == [*wanted, (1, 0x2004, 9)]


def test_what_was_read_ahead_is_taken_once(board, transport):
    board.lanes[0].words[0x1000 // 4 : 0x1000 // 4 + 100] = range(100)
    transport.fetch(LANE + 0x1000, 100)
    assert board.frames == 2
    assert [transport.read32(LANE + 0x1000 + 4 * k) for k in range(100)] == list(range(100))
    assert board.frames == 2
    board.lanes[0].words[0x1000 // 4] = 7
    assert transport.read32(LANE + 0x1000) == 7
    transport.fetch(LANE + 0x1000, 1)
    transport.forget()
    board.lanes[0].words[0x1000 // 4] = 8
    assert transport.read32(LANE + 0x1000) == 8


def test_a_window_counts_from_its_own_begin(board, transport):
    window = Window(transport, LANE)
    window.write32(0x2000, 5)
    assert window.read32(0x2000) == transport.read32(LANE + 0x2000) == 5


def test_a_damaged_request_is_sent_again(board, transport):
    board.damage = 2
    transport.write32(LANE + 0x2000, 5)
    transport.flush()
    assert board.written == [(1, 0x2000, 5)]
    board.damage = 3
    told = "the fake board must carry requests undamaged, not answer CRC 3 times: the CRC of"
    with pytest.raises(ClientError, match=told):
        transport.read32(0)


def test_an_access_that_the_board_refuses_is_told_with_its_place(transport):
    with pytest.raises(ClientError) as caught:
        transport.read_words(0x10, 64)
    assert str(caught.value) == (
        "the fake board must take the access at 0x00001c, not answer NOWHERE: there is no register "
        "at the address; use the software that the board was built with"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "the fake board must answer, not be silent; check that a board with MCOS is behind"),
        (b"hello world", "must answer in frames of MCOS, not 68 65 6c"),
        (bytes([ANSWER_MARK, FrameStatus.OKAY]), "must answer in frames of MCOS, not 5a 00;"),
        (bytes([ANSWER_MARK, 0, 1, 1, 2, 3, 4, 0, 0]), "not 5a 00 01 01 02 03 04 00 00"),
        (bytes([ANSWER_MARK, 77, 0, 0, 0]), "must answer in frames of MCOS, not 5a 4d 00"),
    ],
)
def test_other_answers_are_one_clear_line(board, transport, answer, told):
    board.feed = lambda request: answer
    with pytest.raises(ClientError, match=told) as caught:
        transport.read32(0)
    assert "\n" not in str(caught.value)
