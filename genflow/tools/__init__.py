"""The tools for users: the command line, the dashboard and pictures. Nothing else in genflow imports this package."""
