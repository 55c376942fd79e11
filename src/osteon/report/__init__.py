"""Pictures and pages: small plots, the score page and the page of a run."""
