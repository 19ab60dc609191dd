"""How connections are made: pools, TLS, the bearer token."""
