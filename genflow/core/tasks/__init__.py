"""Tasks, the branches that wait for them, and what combines them."""
