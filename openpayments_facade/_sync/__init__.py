# Written by `make unasync` from openpayments_facade/_async/__init__.py; do not edit.
"""Client and services: the sync half, written by `make unasync`."""
