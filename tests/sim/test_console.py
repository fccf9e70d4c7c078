"""What commands share: outputs are checked before any work is done."""

import pytest

from mcos_sim.console import require_outputs
from mcos_sim.errors import UserError


def test_outputs_that_can_be_written_leave_nothing_behind(tmp_path):
    new, old = tmp_path / "deep" / "new.json", tmp_path / "old.json"
    old.write_text("kept")
    require_outputs([new, None, old], inputs=[tmp_path / "contract.toml"])
    assert not new.exists()
    assert old.read_text() == "kept"


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [(["./contract.toml"], ["contract.toml"]), (["contract.toml", "contract.toml"], [])],
)
def test_an_output_that_is_an_input_or_another_output_is_refused(tmp_path, outputs, inputs):
    path = tmp_path / "contract.toml"
    path.write_text("kept")
    written, read = ([tmp_path / name for name in names] for names in (outputs, inputs))
    with pytest.raises(UserError, match=r"contract\.toml must not be written, because"):
        require_outputs(written, inputs=read)
    assert path.read_text() == "kept"


def test_an_output_that_is_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"must be a file that can be written, not this"):
        require_outputs([tmp_path])
