"""Hold the executions of a SWF domain against the code that is about to be deployed."""

from __future__ import annotations

from genflow.tools.shadow.fetching import Fetcher, Forbidden, Wanted, since_of
from genflow.tools.shadow.shadowing import Outcome, Shadow, shadow_executions, shadow_files

__all__ = ['Fetcher', 'Forbidden', 'Outcome', 'Shadow', 'Wanted', 'shadow_executions', 'shadow_files', 'since_of']
