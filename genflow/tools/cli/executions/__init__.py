"""Commands about the executions of a domain: what they show, and what they do to one."""
