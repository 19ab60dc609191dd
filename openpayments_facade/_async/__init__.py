"""Client and services, written once, as async; `make unasync` writes the sync half."""
