"""Which runs are played: all orders if they fit, else those with few deviations, and then some by chance."""
