"""The JSON API under /api, and the guard in front of the whole app."""
