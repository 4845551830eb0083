"""Tasks, combinators, and the branches that wait for them."""
