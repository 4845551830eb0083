"""The embedded service over HTTP, as AWS SDKs speak it."""
