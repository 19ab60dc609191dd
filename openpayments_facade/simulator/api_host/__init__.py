"""The API host: one file for each service, named after the provider's tag, and the checks that all calls share."""
