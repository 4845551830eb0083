"""The client: connections, faults, retries, registration."""
