"""botocore's description of Amazon SWF, loaded once: the source of every name, length and enum used here."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

SERVICE = 'swf'


@cache
def service_model() -> ServiceModel:
    """SWF as botocore models it."""
    return ServiceModel(Loader().load_service_model(SERVICE, 'service-2'), SERVICE)


@cache
def paginators() -> dict[str, dict[str, Any]]:
    """Operation -> the configuration of its paginator."""
    found: dict[str, dict[str, Any]] = Loader().load_service_model(SERVICE, 'paginators-1')['pagination']
    return found


@cache
def operation_model(operation: str) -> OperationModel:
    """The model of one operation, by its name on the wire."""
    return service_model().operation_model(operation)


def method_name(operation: str) -> str:
    """``'PollForDecisionTask'`` -> ``'poll_for_decision_task'``."""
    return re.sub(r'(?<!^)(?=[A-Z])', '_', operation).lower()


@cache
def operations() -> dict[str, str]:
    """Method name -> operation, for all of SWF's operations."""
    return {method_name(operation): operation for operation in service_model().operation_names}
