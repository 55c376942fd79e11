"""Virtual trials: people, what is measured of them, and how it is analysed."""
