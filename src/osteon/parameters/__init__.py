"""Parameter records: every number of a model, with units, origin and source."""

from osteon.parameters.records import ParameterSet, Record, digest, draws, load, shown

__all__ = ["ParameterSet", "Record", "digest", "draws", "load", "shown"]
