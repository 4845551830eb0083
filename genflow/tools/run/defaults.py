"""What commands go by where nobody says otherwise."""

from __future__ import annotations

__all__ = ['DOMAIN']

DOMAIN = 'genflow'
"""The domain of executions."""
