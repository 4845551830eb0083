"""The defaults of commands."""

from __future__ import annotations

__all__ = ['DOMAIN']

DOMAIN = 'genflow'
"""The domain, unless a command or its settings name another one."""
