"""Registers in a file that is mapped as memory."""

import os
import stat
from pathlib import Path

import pytest

from mcos_policy.client import ClientError, MappedFile

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of two pages; each word is its number."""
    file = tmp_path / "resource0"
    file.write_bytes(b"".join(k.to_bytes(4, "little") for k in range(2 * PAGE // 4)))
    return file


def test_words_are_read_where_they_are(path):
    with MappedFile(path) as registers:
        assert [registers.read32(4 * k) for k in (0, 1, PAGE // 4)] == [0, 1, PAGE // 4]


@pytest.mark.parametrize("offset", [4, PAGE - 4, PAGE, PAGE + 8])
def test_registers_begin_anywhere(path, offset):
    with MappedFile(path, offset=offset, length=8) as registers:
        assert registers.read32(4) == offset // 4 + 1
        with pytest.raises(ClientError, match=r"must be a multiple of 4 under 0x8, not 0x8;"):
            registers.read32(8)


def test_a_write_is_four_bytes_of_the_file_and_no_others(path):
    with MappedFile(path, offset=PAGE) as registers:
        registers.write32(4, 0x12345678)
        assert registers.read32(4) == 0x12345678
    written = path.read_bytes()[PAGE : PAGE + 12]
    assert written[4:8] == bytes.fromhex("78563412")
    assert [int.from_bytes(written[k : k + 4], "little") * 4 - PAGE for k in (0, 8)] == [0, 8]


@pytest.mark.parametrize("address", [-4, 1, 2, 2 * PAGE, 2**40])
def test_an_address_that_is_no_register_is_refused(path, address):
    with MappedFile(path) as registers, pytest.raises(ClientError, match=f"not {address:#x}; map"):
        registers.read32(address)


def test_a_file_that_only_reads_is_not_written(path):
    path.chmod(0o444)
    with MappedFile(path, writable=False) as registers:
        assert registers.read32(4) == 1
        with pytest.raises(TypeError, match="read-only"):
            registers.write32(4, 2)


def test_a_length_of_a_file_that_has_it_and_of_one_that_has_not(path):
    with MappedFile(path, length=2 * PAGE) as registers:
        assert registers.read32(2 * PAGE - 4) == 2 * PAGE // 4 - 1
    rule = f"must have at least {2 * PAGE + 4} bytes, not {2 * PAGE}; give the file of the memory"
    for asked in ({"length": 2 * PAGE + 4}, {"offset": 2 * PAGE}):
        with pytest.raises(ClientError, match=rule):
            MappedFile(path, **asked)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"offset": 2}, "the offset must be a multiple of 4 from 0 on, not 2; correct it"),
        ({"offset": -4}, "the offset must be a multiple of 4 from 0 on, not -4"),
        ({"length": 0}, "the length must be a multiple of 4 over 0, not 0"),
        ({"length": 6}, "the length must be a multiple of 4 over 0, not 6"),
    ],
)
def test_places_that_no_register_has(path, asked, told):
    with pytest.raises(ClientError, match=told):
        MappedFile(path, **asked)


def test_files_that_cannot_be_mapped(tmp_path, monkeypatch):
    missing = tmp_path / "missing"
    with pytest.raises(ClientError, match=r"file that can be mapped, not this \(No such file"):
        MappedFile(missing)
    for writable in (True, False):
        with pytest.raises(ClientError, match=r"that can be mapped, not this \(Is a directory"):
            MappedFile(tmp_path, length=4, writable=writable)
    os.mkfifo(missing)
    with pytest.raises(ClientError, match="must tell its length, not be a device without one"):
        MappedFile(missing)
    with pytest.raises(ClientError, match=r"file that can be mapped, not this \(No such device"):
        MappedFile(missing, length=4)
    with pytest.raises(ClientError, match=r"file that can be mapped, not this"):
        MappedFile("/dev/zero", offset=2**64, length=4)

    def forbid(*_):
        raise PermissionError(1, "Permission denied")

    monkeypatch.setattr("os.open", forbid)
    with pytest.raises(ClientError, match=r"\(Permission denied\); ask as a user who may"):
        MappedFile(missing)


def test_a_device_without_a_length_is_mapped_as_far_as_it_is_told():
    assert stat.S_ISCHR(os.stat("/dev/zero").st_mode)
    with MappedFile("/dev/zero", offset=8, length=16) as registers:
        registers.write32(12, 7)
        assert registers.read32(12) == 7
