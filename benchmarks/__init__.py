"""What the SDK costs, beside others that do the same work. Run it with `make bench`."""
