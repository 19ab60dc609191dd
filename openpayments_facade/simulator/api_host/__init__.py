"""The API host: one file for each service, named as the provider's tags name it, and what all of their calls share."""
