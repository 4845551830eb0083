"""Durable workflows as plain Python generators, on Amazon SWF or on an embedded SWF service."""
