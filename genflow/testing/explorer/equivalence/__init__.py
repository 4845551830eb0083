"""Finds runs that need not be played: equal states, independent steps, orders of which one stands for all."""
