"""Files are read as far as memory is meant for them."""

import errno

import pytest

from mcos_sim.inputs import read_whole


def test_a_file_may_be_as_long_as_is_allowed_and_no_longer(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    assert read_whole(path, most=100) == bytes(100)
    with pytest.raises(OSError, match="File too large") as caught:
        read_whole(path, most=99)
    assert caught.value.errno == errno.EFBIG
