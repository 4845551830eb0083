"""Which runs lead to the same: equal states, steps that are independent, orders of which one stands for all."""
