"""The values: events, decisions, options, policies, specs. Data without behaviour."""
