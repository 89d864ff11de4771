"""Widgets draw, and post typed messages about what the reader did."""
