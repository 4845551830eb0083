"""Checks a run that has ended: the built-in judges, and the check of the user."""
