"""MCOS simulation: request streams, RTL co-simulation, experiments, waveforms and reports."""
