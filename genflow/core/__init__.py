"""The stepping engine and what workflow authors touch: events in, decisions out, no I/O."""
