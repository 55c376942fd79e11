"""Therapies: names, classes, routes, units and defaults. Kinetics and effects join them as models use them."""

from osteon.therapies.catalogue import Therapy, find, get, names

__all__ = ["Therapy", "find", "get", "names"]
