"""Decision tasks and activity tasks: polled from SWF, and answered."""
