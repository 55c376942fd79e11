"""Fitting a model to the trials marked `fit` and to natural history; trials marked `validate` never come in here."""
