"""The worker side of Amazon SWF: poll, translate, decide or perform, respond.

Importing this package loads nothing, so that ``genflow.swf.scanner`` brings venusian and no boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.swf.aws.fast_reading import fast
    from genflow.swf.client.execution import Execution
    from genflow.swf.client.handles import Client
    from genflow.swf.client.starter import Starter
    from genflow.swf.worker.worker import Worker

_LAZY = {
    'Client': 'genflow.swf.client.handles',
    'Execution': 'genflow.swf.client.execution',
    'Starter': 'genflow.swf.client.starter',
    'Worker': 'genflow.swf.worker.worker',
    'fast': 'genflow.swf.aws.fast_reading',
}
"""Where each name is; its module is imported when the name is asked for."""

__all__ = ['Client', 'Execution', 'Starter', 'Worker', 'fast']

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
