"""What people hold: the command line and the pictures. Nothing in genflow imports this room."""
