"""What drives the rules: the service, group commit, long polls, Lambda functions."""
