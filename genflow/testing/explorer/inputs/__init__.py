"""The arguments of an exploration, in the form that its runs share: the workflow, its input, stubs, signals."""
