"""The web app: see it, drag it, share it. Started by `osteon app`; nothing here is imported by the rest of osteon."""
