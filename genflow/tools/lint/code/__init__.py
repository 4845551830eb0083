"""The code of a project as it stands in its files: syntax trees, and what names mean across modules."""
