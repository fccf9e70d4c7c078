"""The C example, compiled by the system's compiler, on the verilated hardware."""

import ctypes
import subprocess

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.registers.client import c_client, c_example
from mcos_hw.registers.export import c_header, c_name
from mcos_hw.registers.image import HeaderWord, ImageCode, ImageState
from mcos_policy.client import Client
from mcos_policy.compiler import compile_contract
from mcos_policy.image import Image, write_image
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.verilated import channel_library
from mcos_sim.verilated.hardware import Hardware
from mcos_sim.verilated.transport import VerilatedTransport
from tests.policy.client.bench import core_file, core_words
from tests.sim.verilated.traffic import scenario_of

pytestmark = pytest.mark.cocotb

FOUR = ChannelConfig(tenants=4)

READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)


class Bus(ctypes.Structure):
    """``mcos_bus``, whose functions step the hardware."""

    _fields_ = (("read32", READ), ("write32", WRITE), ("context", ctypes.c_void_p))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The example as a library and as a program."""
    made = tmp_path_factory.mktemp("c")
    registers, name = channel_map(FOUR), c_name(FOUR)
    texts = {
        "mcos_registers.h": c_header(registers, name=name),
        "mcos_client.h": c_client(name=name, header="mcos_registers.h"),
        "mcos_example.c": c_example(),
    }
    for file, text in texts.items():
        (made / file).write_text(text, encoding="utf-8")
    strict = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "mcos_example.c"]
    subprocess.run([*strict, "-shared", "-fPIC", "-o", "example.so"], cwd=made, check=True)
    subprocess.run([*strict, "-o", "example"], cwd=made, check=True)
    return made


@pytest.fixture(scope="module")
def example(folder):
    """``mcos_example`` on a transport; its exit code."""
    call = ctypes.CDLL(str(folder / "example.so")).mcos_example

    def run(transport, image):
        bus = Bus(
            READ(lambda _, address: transport.read32(address)),
            WRITE(lambda _, address, word: transport.write32(address, word)),
            None,
        )
        return call(ctypes.byref(bus), str(image).encode())

    return run


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    path = tmp_path_factory.mktemp("contract") / "c.toml"
    text = SAMPLES["decode-prefill"].read_text(encoding="utf-8")
    path.write_text(text.replace('epoch = "75 us"', 'epoch = "10 us"'), encoding="utf-8")
    return compile_contract(path, FOUR)


@pytest.fixture
def hardware():
    with Hardware(channel_library(FOUR, ArbiterKind.MCOS), FOUR) as running:
        yield running


def hex_of(image, compiled, folder):
    *_, path = write_image(image, folder / "c.img", config=FOUR, origin=compiled.origin)
    return path


def changed(image: Image, word: int) -> Image:
    words = list(image.words)
    words[word] += 1
    return Image(words=tuple(words))


def test_a_good_image_becomes_live_and_traffic_is_counted(
    example, hardware, compiled, tmp_path, capfd
):
    _, e = scenario_of(compiled, clocks=20_000)
    transport = VerilatedTransport(hardware, e)
    path = hex_of(compiled.image, compiled, tmp_path)
    assert example(transport, path) == 0
    told, errors = capfd.readouterr()
    metrics = Client(transport, FOUR).metrics()
    assert metrics.epoch == 1
    lines = [
        "core: 4 tenants, 800000 kHz",
        "image: 58 words, live as generation 1",
        (
            f"epoch 1: busy {metrics.busy_clocks.value} clocks, "
            f"stalled {metrics.stalled_clocks.value} clocks"
        ),
        *(
            f"tenant {each.tag}: {sum(granted.bytes.value for granted in each.granted)} bytes "
            f"granted, {each.responses.value} requests served, {each.slo_violations.value} late, "
            f"queue {each.peak_requests} at most"
            for each in metrics.tenants
        ),
    ]
    assert (told.splitlines(), errors) == (lines, "")
    assert min(each.responses.value for each in metrics.tenants) > 100


@pytest.mark.parametrize(
    ("code", "image"),
    [
        (ImageCode.CLOCK, lambda image: changed(image, HeaderWord.CLOCK)),
        (ImageCode.CRC, lambda image: changed(image, HeaderWord.LABEL)),
    ],
)
def test_a_refused_image_is_told_and_the_last_good_one_stays_live(
    code, image, example, hardware, compiled, tmp_path, capfd
):
    transport = VerilatedTransport(hardware)
    live = Client(transport, FOUR).load(compiled.image)
    path = hex_of(image(compiled.image), compiled, tmp_path)
    assert example(transport, path) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"mcos_example: {path}: The core refused the image or the commit.",
        f"mcos_example: code {code.value}: {code.meaning}",
        "mcos_example: generation 1 stays live",
    ]
    assert Client(transport, FOUR).live() == live


def test_an_image_that_is_not_whole(example, hardware, compiled, tmp_path, capfd):
    path = hex_of(compiled.image, compiled, tmp_path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert example(VerilatedTransport(hardware), path) == 1
    assert f"{path}: The image is not whole." in capfd.readouterr().err
    assert example(VerilatedTransport(hardware), tmp_path / "none.hex") == 1
    assert "It must be an IMAGE.hex that mcos compile wrote." in capfd.readouterr().err


class Strange:
    """A core that takes every image, and whose epochs may end with every look at them."""

    def __init__(self, crc: int, *, epochs_end: bool) -> None:
        self.words = core_words(FOUR)
        registers = channel_map(FOUR)
        self.places = {each.name: each.offset // 4 for each in registers.registers}
        self.words[self.places["IMAGE_STATUS"]] = ImageState.STAGED
        self.words[self.places["LIVE_CRC"]] = crc
        self.words[self.places["EPOCH"]] = 1
        self.epochs_end = epochs_end

    def read32(self, address):
        if self.epochs_end and address // 4 == self.places["EPOCH"]:
            self.words[address // 4] += 1
        return self.words[address // 4]

    def write32(self, address, word):
        if address // 4 == self.places["IMAGE_CONTROL"] and word == 2:
            self.words[self.places["GENERATION"]] += 1


@pytest.mark.parametrize(
    ("change", "epochs_end", "told"),
    [
        (1, False, "Another image is live than the one that was loaded."),
        (0, True, "The epoch is too short to read the counters in."),
    ],
)
def test_a_core_that_others_use_and_one_of_short_epochs(
    change, epochs_end, told, example, compiled, tmp_path, capfd
):
    path = hex_of(compiled.image, compiled, tmp_path)
    core = Strange(compiled.image.crc ^ change, epochs_end=epochs_end)
    assert example(core, path) == 1
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"CORE": 0xFFFFFFFF}, "core: No MCOS core answers at this address."),
        ({"CORE_VERSION": 0x010100}, "core: The core has another major version of its interface."),
        ({"CLOCK": 1}, "core: The core was built with other sizes, clock or options."),
        ({"MAP_HASH": 1}, "core: The core has another register map."),
        ({"IMAGE_STATUS": 0x0003}, "c.img.hex: The image is not whole."),
        ({"IMAGE_STATUS": 0x0404}, "code 4: The image is for hardware of another clock."),
    ],
)
def test_the_program_on_memory_that_is_mapped(words, told, folder, compiled, tmp_path):
    image = hex_of(compiled.image, compiled, tmp_path)
    core = core_file(tmp_path / "core", FOUR, **words)
    done = subprocess.run([folder / "example", core, image], capture_output=True, text=True)
    assert (done.returncode, told in done.stderr) == (1, True), done.stderr


def test_a_file_that_is_shorter_than_the_registers_is_refused(folder, tmp_path):
    (tmp_path / "core").write_bytes(bytes(0x1FFF))
    for name in ("core", "none"):
        done = subprocess.run(
            [folder / "example", tmp_path / name, "c.hex"], capture_output=True, text=True
        )
        assert "must be a file that can be mapped and holds all registers." in done.stderr
        assert done.returncode == 1
