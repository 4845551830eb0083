"""Commands that check code before it is deployed, and the environment in which it will run."""
