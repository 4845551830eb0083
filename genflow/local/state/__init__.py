"""The state of the service in memory."""
