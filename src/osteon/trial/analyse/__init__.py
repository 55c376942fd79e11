"""The analyses of a trial: ANCOVA, MMRM, missing data, times to an event."""
