"""The results: the report, and the smallest failing order as a story, a schedule and a history."""
