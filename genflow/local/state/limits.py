"""The quotas of Amazon SWF, as numbers that a test may lower.

The defaults are those of the developer guide. Rates are off by default: an embedded service has nobody to protect.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

__all__ = ['AWS_RATES', 'LARGE_PAGES', 'Limits']

AWS_RATES: dict[str, tuple[int, int]] = {
    **dict.fromkeys(
        (
            'PollForActivityTask',
            'PollForDecisionTask',
            'RespondActivityTaskCanceled',
            'RespondActivityTaskCompleted',
            'RespondActivityTaskFailed',
            'RespondDecisionTaskCompleted',
            'StartWorkflowExecution',
        ),
        (2000, 200),
    ),
    'RecordActivityTaskHeartbeat': (2000, 160),
    'GetWorkflowExecutionHistory': (2000, 60),
    'TerminateWorkflowExecution': (2000, 60),
    'RequestCancelWorkflowExecution': (2000, 30),
    'SignalWorkflowExecution': (2000, 30),
    **dict.fromkeys(
        (
            'CountClosedWorkflowExecutions',
            'CountOpenWorkflowExecutions',
            'DescribeActivityType',
            'DescribeWorkflowExecution',
            'DescribeWorkflowType',
        ),
        (2000, 6),
    ),
    'RegisterActivityType': (200, 60),
    'RegisterWorkflowType': (200, 60),
    'ListOpenWorkflowExecutions': (200, 48),
    **dict.fromkeys(
        (
            'CountPendingActivityTasks',
            'CountPendingDecisionTasks',
            'DeleteActivityType',
            'DeleteWorkflowType',
            'DeprecateActivityType',
            'DeprecateWorkflowType',
            'DescribeDomain',
            'ListActivityTypes',
            'ListClosedWorkflowExecutions',
            'ListWorkflowTypes',
            'UndeprecateActivityType',
            'UndeprecateWorkflowType',
        ),
        (200, 6),
    ),
    **dict.fromkeys(('DeprecateDomain', 'ListDomains', 'RegisterDomain', 'UndeprecateDomain'), (100, 6)),
    **dict.fromkeys(('ListTagsForResource', 'TagResource', 'UntagResource'), (50, 30)),
    'RequestCancelExternalWorkflowExecution': (1200, 120),
    'SignalExternalWorkflowExecution': (1200, 120),
    'ScheduleActivityTask': (1000, 200),
    'StartChildWorkflowExecution': (500, 12),
    'StartTimer': (2000, 200),
}
"""Token buckets of the developer guide: operation or decision -> (bucket size, tokens per second)."""


@frozen(kw_only=True)
class Limits:
    """How much of everything the service grants.

    Attributes:
        domains: Registered and deprecated together, of the whole service.
        types: Of one kind in one domain, registered and deprecated together.
        open_executions: Of one domain, children included.
        history_events: Of one execution; at this number the execution is terminated.
        open_activities, open_timers, open_children, open_lambdas: of one execution.
        pollers: Waiting at the same time on one task list.
        page_size: The most items on one page of a list, and the size where the caller names none.
        history_page_size: Likewise of the events of a history, in polls and GetWorkflowExecutionHistory. Amazon SWF
            sends 100 events, also where ``maximumPageSize`` asks for 1,000.
        resource_tags: Of one domain.
        page_token_seconds: How long a page token can be used.
        kept_days: Closed executions are kept for so many days at least, whatever the retention of their domain is.
        rates: Operation or decision type -> (bucket size, tokens per second); nothing is throttled by default,
            ``AWS_RATES`` is what the developer guide says.
    """

    domains: int = 100
    types: int = 10_000
    open_executions: int = 100_000
    history_events: int = 25_000
    open_activities: int = 1_000
    open_timers: int = 1_000
    open_children: int = 1_000
    open_lambdas: int = 1_000
    pollers: int = 1_000
    page_size: int = 1_000
    history_page_size: int = 100
    resource_tags: int = 50
    page_token_seconds: int = 86_400
    kept_days: int = 0
    rates: Mapping[str, tuple[float, float]] = field(factory=dict)


LARGE_PAGES = Limits(history_page_size=1_000)
"""For a service whose only readers follow page tokens: a long history is read in a tenth of the calls."""
