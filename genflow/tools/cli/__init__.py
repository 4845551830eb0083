"""The command line, ``genflow`` and ``python -m genflow``; needs the extra ``cli``."""
