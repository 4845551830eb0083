"""The base classes of workflows and activities, and the declarations in them: proxies, signals, queries, options."""
