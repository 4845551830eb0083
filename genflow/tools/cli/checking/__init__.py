"""Commands that check: the code, before it is deployed, and the place where it is to run."""
