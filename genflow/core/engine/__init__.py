"""One live execution: history in, decisions out."""
