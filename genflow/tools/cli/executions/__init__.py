"""Commands that show the executions of a domain, and commands that act on one."""
