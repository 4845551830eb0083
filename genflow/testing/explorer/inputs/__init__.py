"""What an exploration is given, in the form in which all of its runs share it: the workflow, stubs, signals, models."""
