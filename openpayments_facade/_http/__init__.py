"""How exchanges are carried out: HTTP clients, TLS."""
