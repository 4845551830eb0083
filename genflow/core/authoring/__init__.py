"""What authors of workflows and activities derive from and declare."""
