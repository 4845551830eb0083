"""Commands that keep a process running: workflows, workers, services, the dashboard."""
