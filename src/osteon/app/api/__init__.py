"""The JSON API under /api, the checks that guard the whole app, and the jobs that run studies."""

from osteon.app.api.install import Settings, install

__all__ = ["Settings", "install"]
