"""The tester: a workflow, doubles of what it calls, and a clock that skips."""
