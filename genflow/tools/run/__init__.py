"""`genflow run`: an execution with everything it needs, in one process."""
