"""Hold the executions of a SWF domain against the code that is about to be deployed."""

from __future__ import annotations

from genflow.tools.shadow.fetching import Fetcher, Wanted, since_of
from genflow.tools.shadow.shadowing import Outcome, Shadow, shadow_executions, shadow_files

__all__ = ['Fetcher', 'Outcome', 'Shadow', 'Wanted', 'shadow_executions', 'shadow_files', 'since_of']
