"""Fixtures of the app's tests."""

from app_client import bare, chromium, client, own_page, own_server, state, study

__all__ = ["bare", "chromium", "client", "own_page", "own_server", "state", "study"]
