"""Text for terminals: safe to print, as wide as people read well, and failures with their causes."""
