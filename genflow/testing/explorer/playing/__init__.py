"""One run: a workflow on a simulated SWF, to which each choice of a schedule happens in turn."""
