"""Parameter records: every number of a model, with units, origin and source."""

from osteon.parameters.records import CANDIDATES, ParameterSet, Record, digest, draws, fitted_draws, load, shown

__all__ = ["CANDIDATES", "ParameterSet", "Record", "digest", "draws", "fitted_draws", "load", "shown"]
