"""The auth host: the token endpoint, and the page where a user approves."""
