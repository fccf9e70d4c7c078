"""Constraint files of boards and processes: written from data, and checked without vendor tools."""
