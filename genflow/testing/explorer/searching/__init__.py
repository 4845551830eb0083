"""Chooses the runs: all orders if they fit into the budget, else those with few deviations, and then random ones."""
