"""What a request may say: shapes, patterns, tokens, faults."""
