"""Evidence: published trials as one YAML file each, tables of natural history and physiology, and scoring."""

from osteon.evidence.loader import load_tables, load_trial, load_trials, trial_ids
from osteon.evidence.schema import Curve, Point, Trial, TrialArm

__all__ = ["Curve", "Point", "Trial", "TrialArm", "load_tables", "load_trial", "load_trials", "trial_ids"]
