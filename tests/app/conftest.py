"""Fixtures of the app's tests."""

from app_client import bare, client, state, study

__all__ = ["bare", "client", "state", "study"]
