"""Power, guarantees and caps on RTL channels."""

from mcos_sim.power.figures import measure


def test_power_stays_at_the_budget_and_guarantees_are_kept() -> None:
    figures = measure(epochs=10, seed=3)
    assert figures.counted >= 4
    assert figures.worst_epoch_error < 0.02
    assert figures.guarantee_kept >= 0.98
    assert figures.broadcast_us < 200
