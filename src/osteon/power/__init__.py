"""Power of a study: how likely its trial is to find what the model says is there, and how many people it takes."""
