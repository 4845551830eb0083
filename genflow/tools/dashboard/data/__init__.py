"""What the dashboard looks at and acts on: a service or a folder, read and kept up to date."""
