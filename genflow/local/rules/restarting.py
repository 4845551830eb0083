"""What a process takes with it when it dies."""

from __future__ import annotations

from genflow.local.rules.activities import time_out_activity
from genflow.local.rules.decision_lambdas import settle_lambda
from genflow.local.rules.decision_tasks import time_out_decision
from genflow.local.rules.execution import Execution
from genflow.local.rules.state import Activity, DecisionTask, LambdaFunction
from genflow.local.rules.timeouts import find_item
from genflow.local.world import World

#: ``details`` of the time-out of an activity whose worker died with the service's process: no fault of the activity.
PROCESS_DIED = 'genflow.ProcessDied'


def abandon(world: World, execution: Execution, item_id: int, at: int) -> None:
    """Time out a started task at once: its poller lived in the process that has died, nobody can answer it."""
    item = find_item(execution, item_id)
    if isinstance(item, Activity) and item.started:
        time_out_activity(world, execution, item, at, 'START_TO_CLOSE', PROCESS_DIED)
    elif isinstance(item, DecisionTask) and item.started:
        time_out_decision(world, execution, item, at)


def strand_lambdas(world: World, execution: Execution, item_id: int, at: int) -> None:
    """Time out a Lambda function that was running: such functions always run in the service's process."""
    item = find_item(execution, item_id)
    if isinstance(item, LambdaFunction) and item.started:
        settle_lambda(world, execution, item, at, 'LambdaFunctionTimedOut', {'timeoutType': 'START_TO_CLOSE'})
