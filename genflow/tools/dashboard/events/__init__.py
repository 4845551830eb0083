"""The events of a history on a page: which of them, and how each looks."""
