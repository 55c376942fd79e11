"""The web app: pages over a small JSON API, on this machine alone unless asked otherwise."""
