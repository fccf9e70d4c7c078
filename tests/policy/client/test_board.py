"""A board of several cores: found, set up, read; and devices that are none."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, fabric_map
from mcos_hw.registers.board_map import GENERATOR_COUNTS
from mcos_hw.registers.image import HeaderWord, ImageCode
from mcos_hw.targets.ulx3s import board_config
from mcos_policy.client import ClientError
from mcos_policy.client.board import Board, Pattern
from mcos_policy.client.framed import FramedTransport
from mcos_policy.client.serial_line import SerialLine
from mcos_policy.compiler import compile_contract
from mcos_policy.image import Image
from mcos_policy.samples import SAMPLES
from tests.policy.client.fake_board import BOARD_CHANNEL, FakeBoard, PipeLine, Terminal


def boards(fake, config=None):
    return Board(FramedTransport(PipeLine(fake)), config)


def test_a_board_tells_what_it_is():
    board = boards(FakeBoard())
    assert board.arbiters == (ArbiterKind.MCOS, ArbiterKind.FCFS)
    assert [lane.core.config for lane in board.lanes] == [BOARD_CHANNEL] * 2
    assert board.tenants == 4


def test_the_sample_is_for_the_board():
    config = compile_contract(SAMPLES["ulx3s"], ChannelConfig(tenants=4)).config
    assert config == BOARD_CHANNEL
    channel = board_config().fabric.channel
    for name in ("tenants", "slots", "clock_khz", "bytes_per_clock", "grant_interval", "l_max"):
        assert getattr(channel, name) == getattr(config, name)


def test_every_port_becomes_a_tenants():
    fake = FakeBoard()
    boards(fake).map_ports()
    registers = fabric_map(board_config().fabric)
    for lane in (1, 2):
        written = [(place, word) for region, place, word in fake.written if region == lane]
        row, places = registers["PORT_ROW"], registers["PORT_PLACES"]
        rows = [row.unpack(word) for place, word in written if place == row.offset]
        assert rows == [{"used": 1, "tenant": k, "row": 0, "port": k} for k in range(4)]
        credits = [places.unpack(word) for place, word in written if place == places.offset]
        assert len(credits) == 16
        for each in credits:
            assert each["places"] == (16 if each["tenant"] == each["port"] else 0)


def test_a_generator_is_set_in_two_words():
    fake = FakeBoard()
    board = boards(fake)
    board.generate(2, Pattern(interval=48, window=4, beats=8, writes=1, random=True))
    board.generate(2, None)
    pace, generator = fake.map["PACE"], fake.map["GENERATOR"]
    assert [place for _, place, _ in fake.written] == [pace.offset, generator.offset] * 2
    words = [word for _, _, word in fake.written]
    assert pace.unpack(words[0]) == {"interval": 48, "window": 4}
    assert generator.unpack(words[1]) == {
        "tenant": 2,
        "on": 1,
        "random": 1,
        "beats_log2": 3,
        "writes": 1,
    }
    assert generator.unpack(words[3])["on"] == 0


def test_counts_are_of_a_lane_and_a_tenant():
    fake = FakeBoard()
    for k, name in enumerate(GENERATOR_COUNTS):
        for element in range(8):
            fake.words[fake.map[name].offset + 4 * element] = 100 * k + element
    found = boards(fake).counts()
    assert found[1][2].answered == 6
    assert found[1][2].latency_sum == 106
    assert found[0][3].latency_most == 203
    assert found[1][3].wrong == 307
    assert found[1][2].latency_mean == 106 / 6
    assert found[0][0].latency_mean is None


def test_metrics_come_in_few_frames():
    fake = FakeBoard()
    lane = fake.lanes[1]
    lane.set("EPOCH", epoch=5)
    lane.words[lane.map["RESPONSES"].offset // 4 + 3] = 77
    board = boards(fake)
    before = fake.frames
    metrics = board.metrics(1)
    assert metrics.epoch == 5
    assert metrics.tenants[3].responses.value == 77
    assert fake.frames - before < 25


def test_metrics_of_an_epoch_that_ends_meanwhile_are_read_again_in_few_frames():
    fake = FakeBoard()
    lane = fake.lanes[0]
    board = boards(fake)
    epochs = iter([1, 2, 2, 2])
    plain = lane.read

    def read(address):
        if address == lane.map["EPOCH"].offset:
            lane.set("EPOCH", epoch=next(epochs))
        return plain(address)

    lane.read = read
    before = fake.frames
    assert board.metrics(0).epoch == 2
    assert fake.frames - before < 50


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"beats": 3}, "beats must be 1, 2, 4, 8 or 16, not 3"),
        ({"interval": 65536}, r"interval must be in 0..65535, not 65536"),
        ({"window": 64}, r"window must be in 0..63, not 64"),
        ({"writes": 5}, r"writes must be in 0..4, not 5"),
    ],
)
def test_patterns_that_are_refused(values, told):
    with pytest.raises(ValueError, match=told):
        Pattern(**values)


@pytest.mark.parametrize(
    ("fake", "config", "told"),
    [
        (
            FakeBoard(magic=0),
            None,
            "register BOARD must read 0x4452424d, which spells MBRD, not 0x00000000; load a",
        ),
        (
            FakeBoard(ChannelConfig(tenants=8)),
            BOARD_CHANNEL,
            "the core must have the sizes that software was given: tenants 4, .*, not tenants 8, ",
        ),
    ],
)
def test_a_board_of_other_sizes_is_one_clear_line(fake, config, told):
    with pytest.raises(ClientError, match=told) as caught:
        boards(fake, config)
    assert "\n" not in str(caught.value)


def test_an_image_goes_over_a_serial_device_and_another_is_refused():
    image = compile_contract(SAMPLES["ulx3s"], ChannelConfig(tenants=4)).image
    words = list(image.words)
    words[HeaderWord.CLOCK] += 1
    fake = FakeBoard()
    with Terminal(fake) as terminal, SerialLine(terminal.path, baud=115_200) as line:
        board = Board(FramedTransport(line))
        for lane in board.lanes:
            assert lane.load(image).generation == 1
        with pytest.raises(ClientError) as caught:
            board.lanes[1].load(Image(words=tuple(words)))
        assert caught.value.code is ImageCode.CLOCK
    assert [lane.staged == list(image.words) for lane in fake.lanes] == [True, False]


def test_a_device_that_is_silent():
    with (
        Terminal() as terminal,
        SerialLine(terminal.path, baud=115_200, seconds=0.1) as line,
        pytest.raises(ClientError, match=f"{terminal.path} must answer, not be silent; check"),
    ):
        Board(FramedTransport(line))


def test_a_device_that_is_missing_busy_or_none(tmp_path):
    rule = "must be a serial device that can be opened, not"
    with pytest.raises(ClientError, match=f"{rule} missing; plug the board in"):
        SerialLine(str(tmp_path / "none"), baud=115_200)
    plain = tmp_path / "plain"
    plain.touch()
    with pytest.raises(ClientError, match=f"{rule} a file of another kind; give"):
        SerialLine(str(plain), baud=115_200)
    busy = pytest.raises(ClientError, match=f"{rule} busy; end the program that uses it")
    with Terminal() as terminal, SerialLine(terminal.path, baud=115_200), busy:
        SerialLine(terminal.path, baud=115_200)
