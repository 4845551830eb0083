"""The tasks that SWF carries out: activities, children, timers, Lambda functions, signals."""
