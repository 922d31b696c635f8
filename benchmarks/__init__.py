"""Measurements: nothing here is a test, and nothing in the tests measures time."""
