"""Sends requests: HTTP clients and TLS."""
