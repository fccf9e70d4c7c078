"""The essay's workload on channels of other rates."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.experiments.contention import Setting, contention_scenario, slowness, workloads
from mcos_sim.memory.name import MemoryName


@pytest.mark.parametrize(("sample", "factor"), [("decode-prefill", 1), ("decode-prefill-fpga", 2)])
def test_decoders_compute_for_longer_on_a_slower_channel(sample, factor):
    of = compile_contract(SAMPLES[sample], ChannelConfig())
    assert slowness(of.config) == factor
    at_default = workloads(MemoryName.SIMPLE, ChannelConfig())
    for name, workload in workloads(MemoryName.SIMPLE, of.config).items():
        assert workload.compute_mean == factor * at_default[name].compute_mean
        assert workload.compute_jitter == factor * at_default[name].compute_jitter
        assert workload.step_requests == at_default[name].step_requests


def test_a_window_that_was_asked_for_stays():
    of = compile_contract(SAMPLES["decode-prefill-fpga"], ChannelConfig())
    workload = workloads(MemoryName.SIMPLE, of.config)["loaded"]
    setting = Setting(clocks=100_000, decoder_window=16)
    scenario = contention_scenario(of, workload, "mcos", setting, name="x")
    assert {stream.window for stream in scenario.streams if stream.tag} == {16}
