"""Models from papers, kept exactly as published."""
