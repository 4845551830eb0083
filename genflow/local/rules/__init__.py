"""The rules of Amazon SWF: pure functions from state, input and moment to events.

Nothing here reads a clock, a file or a socket. A rule is given the :class:`~genflow.local.state.state.State` (what the
service remembers), the execution, the moment ``at`` in milliseconds and its input; it records events and changes state.
Whatever it changes is collected by the state and becomes durable in one piece.
"""
