"""What commands are given as text: the code of workflows, arguments, and middleware."""
