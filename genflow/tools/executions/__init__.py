"""Executions of a service: listed, followed, started, and read with what a service knows besides their events."""
