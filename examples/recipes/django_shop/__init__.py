"""A Django application whose orders are workflows."""
