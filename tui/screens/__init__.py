"""Screens coordinate: they hand work to the engine and its events to the widgets."""
