from mcos_sim.shared import REPOSITORY, shared_path


def test_shared_path_follows_the_environment(monkeypatch, tmp_path):
    (tmp_path / "traces").mkdir()
    monkeypatch.setenv("MCOS_SHARED", str(tmp_path))
    assert shared_path("traces") == tmp_path / "traces"
    assert shared_path("traces", "absent") is None


def test_relative_folder_counts_from_the_repository(monkeypatch):
    monkeypatch.setenv("MCOS_SHARED", "sim")
    assert shared_path("mcos_sim", "shared.py") == REPOSITORY / "sim/mcos_sim/shared.py"
