"""The file; only this folder has SQL."""

from __future__ import annotations

from genflow.local.store.memory import MemoryStore
from genflow.local.store.store import Store
from genflow.local.store.visibility import Query

__all__ = ['MemoryStore', 'Query', 'Store']
