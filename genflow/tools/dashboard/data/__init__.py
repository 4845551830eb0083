"""The data of the dashboard: a service or a folder, read and kept up to date."""
