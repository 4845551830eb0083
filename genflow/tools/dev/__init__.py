"""`genflow dev`: a service, a worker that follows the saved code, and what a save means for open executions."""
