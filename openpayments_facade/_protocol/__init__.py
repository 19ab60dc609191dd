"""All decisions about requests and answers, without I/O."""
