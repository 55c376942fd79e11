"""Engines: the reference integrator and the exposure (drug levels in closed form) that it is driven by."""
