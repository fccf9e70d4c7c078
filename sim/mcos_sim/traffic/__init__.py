"""Workloads: traces and models in, request streams out."""
