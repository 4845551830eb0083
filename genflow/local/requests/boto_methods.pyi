"""What type checkers see of the methods of an SWF client; written by .ci/swf_stub.py."""

from datetime import datetime
from typing import Any, Literal, TypedDict

from typing_extensions import NotRequired

__all__ = ['BotoMethods']

ActivityTaskTimeoutType = Literal['START_TO_CLOSE', 'SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT']
CancelTimerFailedCause = Literal['TIMER_ID_UNKNOWN', 'OPERATION_NOT_PERMITTED']
CancelWorkflowExecutionFailedCause = Literal['UNHANDLED_DECISION', 'OPERATION_NOT_PERMITTED']
ChildPolicy = Literal['TERMINATE', 'REQUEST_CANCEL', 'ABANDON']
CloseStatus = Literal['COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'CONTINUED_AS_NEW', 'TIMED_OUT']
CompleteWorkflowExecutionFailedCause = Literal['UNHANDLED_DECISION', 'OPERATION_NOT_PERMITTED']
ContinueAsNewWorkflowExecutionFailedCause = Literal[
    'UNHANDLED_DECISION',
    'WORKFLOW_TYPE_DEPRECATED',
    'WORKFLOW_TYPE_DOES_NOT_EXIST',
    'DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'DEFAULT_TASK_LIST_UNDEFINED',
    'DEFAULT_CHILD_POLICY_UNDEFINED',
    'CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED',
    'OPERATION_NOT_PERMITTED',
]
DecisionTaskTimeoutType = Literal['START_TO_CLOSE', 'SCHEDULE_TO_START']
DecisionType = Literal[
    'ScheduleActivityTask',
    'RequestCancelActivityTask',
    'CompleteWorkflowExecution',
    'FailWorkflowExecution',
    'CancelWorkflowExecution',
    'ContinueAsNewWorkflowExecution',
    'RecordMarker',
    'StartTimer',
    'CancelTimer',
    'SignalExternalWorkflowExecution',
    'RequestCancelExternalWorkflowExecution',
    'StartChildWorkflowExecution',
    'ScheduleLambdaFunction',
]
EventType = Literal[
    'WorkflowExecutionStarted',
    'WorkflowExecutionCancelRequested',
    'WorkflowExecutionCompleted',
    'CompleteWorkflowExecutionFailed',
    'WorkflowExecutionFailed',
    'FailWorkflowExecutionFailed',
    'WorkflowExecutionTimedOut',
    'WorkflowExecutionCanceled',
    'CancelWorkflowExecutionFailed',
    'WorkflowExecutionContinuedAsNew',
    'ContinueAsNewWorkflowExecutionFailed',
    'WorkflowExecutionTerminated',
    'DecisionTaskScheduled',
    'DecisionTaskStarted',
    'DecisionTaskCompleted',
    'DecisionTaskTimedOut',
    'ActivityTaskScheduled',
    'ScheduleActivityTaskFailed',
    'ActivityTaskStarted',
    'ActivityTaskCompleted',
    'ActivityTaskFailed',
    'ActivityTaskTimedOut',
    'ActivityTaskCanceled',
    'ActivityTaskCancelRequested',
    'RequestCancelActivityTaskFailed',
    'WorkflowExecutionSignaled',
    'MarkerRecorded',
    'RecordMarkerFailed',
    'TimerStarted',
    'StartTimerFailed',
    'TimerFired',
    'TimerCanceled',
    'CancelTimerFailed',
    'StartChildWorkflowExecutionInitiated',
    'StartChildWorkflowExecutionFailed',
    'ChildWorkflowExecutionStarted',
    'ChildWorkflowExecutionCompleted',
    'ChildWorkflowExecutionFailed',
    'ChildWorkflowExecutionTimedOut',
    'ChildWorkflowExecutionCanceled',
    'ChildWorkflowExecutionTerminated',
    'SignalExternalWorkflowExecutionInitiated',
    'SignalExternalWorkflowExecutionFailed',
    'ExternalWorkflowExecutionSignaled',
    'RequestCancelExternalWorkflowExecutionInitiated',
    'RequestCancelExternalWorkflowExecutionFailed',
    'ExternalWorkflowExecutionCancelRequested',
    'LambdaFunctionScheduled',
    'LambdaFunctionStarted',
    'LambdaFunctionCompleted',
    'LambdaFunctionFailed',
    'LambdaFunctionTimedOut',
    'ScheduleLambdaFunctionFailed',
    'StartLambdaFunctionFailed',
]
ExecutionStatus = Literal['OPEN', 'CLOSED']
FailWorkflowExecutionFailedCause = Literal['UNHANDLED_DECISION', 'OPERATION_NOT_PERMITTED']
LambdaFunctionTimeoutType = Literal['START_TO_CLOSE']
RecordMarkerFailedCause = Literal['OPERATION_NOT_PERMITTED']
RegistrationStatus = Literal['REGISTERED', 'DEPRECATED']
RequestCancelActivityTaskFailedCause = Literal['ACTIVITY_ID_UNKNOWN', 'OPERATION_NOT_PERMITTED']
RequestCancelExternalWorkflowExecutionFailedCause = Literal[
    'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION',
    'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED',
    'OPERATION_NOT_PERMITTED',
]
ScheduleActivityTaskFailedCause = Literal[
    'ACTIVITY_TYPE_DEPRECATED',
    'ACTIVITY_TYPE_DOES_NOT_EXIST',
    'ACTIVITY_ID_ALREADY_IN_USE',
    'OPEN_ACTIVITIES_LIMIT_EXCEEDED',
    'ACTIVITY_CREATION_RATE_EXCEEDED',
    'DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED',
    'DEFAULT_TASK_LIST_UNDEFINED',
    'DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED',
    'DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED',
    'OPERATION_NOT_PERMITTED',
]
ScheduleLambdaFunctionFailedCause = Literal[
    'ID_ALREADY_IN_USE',
    'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED',
    'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED',
    'LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION',
]
SignalExternalWorkflowExecutionFailedCause = Literal[
    'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION',
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED',
    'OPERATION_NOT_PERMITTED',
]
StartChildWorkflowExecutionFailedCause = Literal[
    'WORKFLOW_TYPE_DOES_NOT_EXIST',
    'WORKFLOW_TYPE_DEPRECATED',
    'OPEN_CHILDREN_LIMIT_EXCEEDED',
    'OPEN_WORKFLOWS_LIMIT_EXCEEDED',
    'CHILD_CREATION_RATE_EXCEEDED',
    'WORKFLOW_ALREADY_RUNNING',
    'DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'DEFAULT_TASK_LIST_UNDEFINED',
    'DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'DEFAULT_CHILD_POLICY_UNDEFINED',
    'OPERATION_NOT_PERMITTED',
]
StartLambdaFunctionFailedCause = Literal['ASSUME_ROLE_FAILED']
StartTimerFailedCause = Literal[
    'TIMER_ID_ALREADY_IN_USE',
    'OPEN_TIMERS_LIMIT_EXCEEDED',
    'TIMER_CREATION_RATE_EXCEEDED',
    'OPERATION_NOT_PERMITTED',
]
WorkflowExecutionCancelRequestedCause = Literal['CHILD_POLICY_APPLIED']
WorkflowExecutionTerminatedCause = Literal['CHILD_POLICY_APPLIED', 'EVENT_LIMIT_EXCEEDED', 'OPERATOR_INITIATED']
WorkflowExecutionTimeoutType = Literal['START_TO_CLOSE']

class ExecutionTimeFilter(TypedDict):
    oldestDate: datetime | str | float
    latestDate: NotRequired[datetime | str | float]

class WorkflowExecutionFilter(TypedDict):
    workflowId: str

class WorkflowTypeFilter(TypedDict):
    name: str
    version: NotRequired[str]

class TagFilter(TypedDict):
    tag: str

class CloseStatusFilter(TypedDict):
    status: CloseStatus

class TaskList(TypedDict):
    name: str

class ActivityType(TypedDict):
    name: str
    version: str

class WorkflowType(TypedDict):
    name: str
    version: str

class WorkflowExecution(TypedDict):
    workflowId: str
    runId: str

class ResourceTag(TypedDict):
    key: str
    value: NotRequired[str]

class ScheduleActivityTaskDecisionAttributes(TypedDict):
    activityType: ActivityType
    activityId: str
    control: NotRequired[str]
    input: NotRequired[str]
    scheduleToCloseTimeout: NotRequired[str]
    taskList: NotRequired[TaskList]
    taskPriority: NotRequired[str]
    scheduleToStartTimeout: NotRequired[str]
    startToCloseTimeout: NotRequired[str]
    heartbeatTimeout: NotRequired[str]

class RequestCancelActivityTaskDecisionAttributes(TypedDict):
    activityId: str

class CompleteWorkflowExecutionDecisionAttributes(TypedDict):
    result: NotRequired[str]

class FailWorkflowExecutionDecisionAttributes(TypedDict):
    reason: NotRequired[str]
    details: NotRequired[str]

class CancelWorkflowExecutionDecisionAttributes(TypedDict):
    details: NotRequired[str]

class ContinueAsNewWorkflowExecutionDecisionAttributes(TypedDict):
    input: NotRequired[str]
    executionStartToCloseTimeout: NotRequired[str]
    taskList: NotRequired[TaskList]
    taskPriority: NotRequired[str]
    taskStartToCloseTimeout: NotRequired[str]
    childPolicy: NotRequired[ChildPolicy]
    tagList: NotRequired[list[str]]
    workflowTypeVersion: NotRequired[str]
    lambdaRole: NotRequired[str]

class RecordMarkerDecisionAttributes(TypedDict):
    markerName: str
    details: NotRequired[str]

class StartTimerDecisionAttributes(TypedDict):
    timerId: str
    control: NotRequired[str]
    startToFireTimeout: str

class CancelTimerDecisionAttributes(TypedDict):
    timerId: str

class SignalExternalWorkflowExecutionDecisionAttributes(TypedDict):
    workflowId: str
    runId: NotRequired[str]
    signalName: str
    input: NotRequired[str]
    control: NotRequired[str]

class RequestCancelExternalWorkflowExecutionDecisionAttributes(TypedDict):
    workflowId: str
    runId: NotRequired[str]
    control: NotRequired[str]

class StartChildWorkflowExecutionDecisionAttributes(TypedDict):
    workflowType: WorkflowType
    workflowId: str
    control: NotRequired[str]
    input: NotRequired[str]
    executionStartToCloseTimeout: NotRequired[str]
    taskList: NotRequired[TaskList]
    taskPriority: NotRequired[str]
    taskStartToCloseTimeout: NotRequired[str]
    childPolicy: NotRequired[ChildPolicy]
    tagList: NotRequired[list[str]]
    lambdaRole: NotRequired[str]

class ScheduleLambdaFunctionDecisionAttributes(TypedDict):
    id: str
    name: str
    control: NotRequired[str]
    input: NotRequired[str]
    startToCloseTimeout: NotRequired[str]

class Decision(TypedDict):
    decisionType: DecisionType
    scheduleActivityTaskDecisionAttributes: NotRequired[ScheduleActivityTaskDecisionAttributes]
    requestCancelActivityTaskDecisionAttributes: NotRequired[RequestCancelActivityTaskDecisionAttributes]
    completeWorkflowExecutionDecisionAttributes: NotRequired[CompleteWorkflowExecutionDecisionAttributes]
    failWorkflowExecutionDecisionAttributes: NotRequired[FailWorkflowExecutionDecisionAttributes]
    cancelWorkflowExecutionDecisionAttributes: NotRequired[CancelWorkflowExecutionDecisionAttributes]
    continueAsNewWorkflowExecutionDecisionAttributes: NotRequired[ContinueAsNewWorkflowExecutionDecisionAttributes]
    recordMarkerDecisionAttributes: NotRequired[RecordMarkerDecisionAttributes]
    startTimerDecisionAttributes: NotRequired[StartTimerDecisionAttributes]
    cancelTimerDecisionAttributes: NotRequired[CancelTimerDecisionAttributes]
    signalExternalWorkflowExecutionDecisionAttributes: NotRequired[SignalExternalWorkflowExecutionDecisionAttributes]
    requestCancelExternalWorkflowExecutionDecisionAttributes: NotRequired[RequestCancelExternalWorkflowExecutionDecisionAttributes]
    startChildWorkflowExecutionDecisionAttributes: NotRequired[StartChildWorkflowExecutionDecisionAttributes]
    scheduleLambdaFunctionDecisionAttributes: NotRequired[ScheduleLambdaFunctionDecisionAttributes]

class WorkflowExecutionCount(TypedDict):
    count: int
    truncated: NotRequired[bool]

class PendingTaskCount(TypedDict):
    count: int
    truncated: NotRequired[bool]

class ActivityTypeInfo(TypedDict):
    activityType: ActivityType
    status: RegistrationStatus
    description: NotRequired[str]
    creationDate: datetime
    deprecationDate: NotRequired[datetime]

class ActivityTypeConfiguration(TypedDict):
    defaultTaskStartToCloseTimeout: NotRequired[str]
    defaultTaskHeartbeatTimeout: NotRequired[str]
    defaultTaskList: NotRequired[TaskList]
    defaultTaskPriority: NotRequired[str]
    defaultTaskScheduleToStartTimeout: NotRequired[str]
    defaultTaskScheduleToCloseTimeout: NotRequired[str]

class ActivityTypeDetail(TypedDict):
    typeInfo: ActivityTypeInfo
    configuration: ActivityTypeConfiguration

class DomainInfo(TypedDict):
    name: str
    status: RegistrationStatus
    description: NotRequired[str]
    arn: NotRequired[str]

class DomainConfiguration(TypedDict):
    workflowExecutionRetentionPeriodInDays: str

class DomainDetail(TypedDict):
    domainInfo: DomainInfo
    configuration: DomainConfiguration

class WorkflowExecutionInfo(TypedDict):
    execution: WorkflowExecution
    workflowType: WorkflowType
    startTimestamp: datetime
    closeTimestamp: NotRequired[datetime]
    executionStatus: ExecutionStatus
    closeStatus: NotRequired[CloseStatus]
    parent: NotRequired[WorkflowExecution]
    tagList: NotRequired[list[str]]
    cancelRequested: NotRequired[bool]

class WorkflowExecutionConfiguration(TypedDict):
    taskStartToCloseTimeout: str
    executionStartToCloseTimeout: str
    taskList: TaskList
    taskPriority: NotRequired[str]
    childPolicy: ChildPolicy
    lambdaRole: NotRequired[str]

class WorkflowExecutionOpenCounts(TypedDict):
    openActivityTasks: int
    openDecisionTasks: int
    openTimers: int
    openChildWorkflowExecutions: int
    openLambdaFunctions: NotRequired[int]

class WorkflowExecutionDetail(TypedDict):
    executionInfo: WorkflowExecutionInfo
    executionConfiguration: WorkflowExecutionConfiguration
    openCounts: WorkflowExecutionOpenCounts
    latestActivityTaskTimestamp: NotRequired[datetime]
    latestExecutionContext: NotRequired[str]

class WorkflowTypeInfo(TypedDict):
    workflowType: WorkflowType
    status: RegistrationStatus
    description: NotRequired[str]
    creationDate: datetime
    deprecationDate: NotRequired[datetime]

class WorkflowTypeConfiguration(TypedDict):
    defaultTaskStartToCloseTimeout: NotRequired[str]
    defaultExecutionStartToCloseTimeout: NotRequired[str]
    defaultTaskList: NotRequired[TaskList]
    defaultTaskPriority: NotRequired[str]
    defaultChildPolicy: NotRequired[ChildPolicy]
    defaultLambdaRole: NotRequired[str]

class WorkflowTypeDetail(TypedDict):
    typeInfo: WorkflowTypeInfo
    configuration: WorkflowTypeConfiguration

class WorkflowExecutionStartedEventAttributes(TypedDict):
    input: NotRequired[str]
    executionStartToCloseTimeout: NotRequired[str]
    taskStartToCloseTimeout: NotRequired[str]
    childPolicy: ChildPolicy
    taskList: TaskList
    taskPriority: NotRequired[str]
    workflowType: WorkflowType
    tagList: NotRequired[list[str]]
    continuedExecutionRunId: NotRequired[str]
    parentWorkflowExecution: NotRequired[WorkflowExecution]
    parentInitiatedEventId: NotRequired[int]
    lambdaRole: NotRequired[str]

class WorkflowExecutionCompletedEventAttributes(TypedDict):
    result: NotRequired[str]
    decisionTaskCompletedEventId: int

class CompleteWorkflowExecutionFailedEventAttributes(TypedDict):
    cause: CompleteWorkflowExecutionFailedCause
    decisionTaskCompletedEventId: int

class WorkflowExecutionFailedEventAttributes(TypedDict):
    reason: NotRequired[str]
    details: NotRequired[str]
    decisionTaskCompletedEventId: int

class FailWorkflowExecutionFailedEventAttributes(TypedDict):
    cause: FailWorkflowExecutionFailedCause
    decisionTaskCompletedEventId: int

class WorkflowExecutionTimedOutEventAttributes(TypedDict):
    timeoutType: WorkflowExecutionTimeoutType
    childPolicy: ChildPolicy

class WorkflowExecutionCanceledEventAttributes(TypedDict):
    details: NotRequired[str]
    decisionTaskCompletedEventId: int

class CancelWorkflowExecutionFailedEventAttributes(TypedDict):
    cause: CancelWorkflowExecutionFailedCause
    decisionTaskCompletedEventId: int

class WorkflowExecutionContinuedAsNewEventAttributes(TypedDict):
    input: NotRequired[str]
    decisionTaskCompletedEventId: int
    newExecutionRunId: str
    executionStartToCloseTimeout: NotRequired[str]
    taskList: TaskList
    taskPriority: NotRequired[str]
    taskStartToCloseTimeout: NotRequired[str]
    childPolicy: ChildPolicy
    tagList: NotRequired[list[str]]
    workflowType: WorkflowType
    lambdaRole: NotRequired[str]

class ContinueAsNewWorkflowExecutionFailedEventAttributes(TypedDict):
    cause: ContinueAsNewWorkflowExecutionFailedCause
    decisionTaskCompletedEventId: int

class WorkflowExecutionTerminatedEventAttributes(TypedDict):
    reason: NotRequired[str]
    details: NotRequired[str]
    childPolicy: ChildPolicy
    cause: NotRequired[WorkflowExecutionTerminatedCause]

class WorkflowExecutionCancelRequestedEventAttributes(TypedDict):
    externalWorkflowExecution: NotRequired[WorkflowExecution]
    externalInitiatedEventId: NotRequired[int]
    cause: NotRequired[WorkflowExecutionCancelRequestedCause]

class DecisionTaskScheduledEventAttributes(TypedDict):
    taskList: TaskList
    taskPriority: NotRequired[str]
    startToCloseTimeout: NotRequired[str]
    scheduleToStartTimeout: NotRequired[str]

class DecisionTaskStartedEventAttributes(TypedDict):
    identity: NotRequired[str]
    scheduledEventId: int

class DecisionTaskCompletedEventAttributes(TypedDict):
    executionContext: NotRequired[str]
    scheduledEventId: int
    startedEventId: int
    taskList: NotRequired[TaskList]
    taskListScheduleToStartTimeout: NotRequired[str]

class DecisionTaskTimedOutEventAttributes(TypedDict):
    timeoutType: DecisionTaskTimeoutType
    scheduledEventId: int
    startedEventId: int

class ActivityTaskScheduledEventAttributes(TypedDict):
    activityType: ActivityType
    activityId: str
    input: NotRequired[str]
    control: NotRequired[str]
    scheduleToStartTimeout: NotRequired[str]
    scheduleToCloseTimeout: NotRequired[str]
    startToCloseTimeout: NotRequired[str]
    taskList: TaskList
    taskPriority: NotRequired[str]
    decisionTaskCompletedEventId: int
    heartbeatTimeout: NotRequired[str]

class ActivityTaskStartedEventAttributes(TypedDict):
    identity: NotRequired[str]
    scheduledEventId: int

class ActivityTaskCompletedEventAttributes(TypedDict):
    result: NotRequired[str]
    scheduledEventId: int
    startedEventId: int

class ActivityTaskFailedEventAttributes(TypedDict):
    reason: NotRequired[str]
    details: NotRequired[str]
    scheduledEventId: int
    startedEventId: int

class ActivityTaskTimedOutEventAttributes(TypedDict):
    timeoutType: ActivityTaskTimeoutType
    scheduledEventId: int
    startedEventId: int
    details: NotRequired[str]

class ActivityTaskCanceledEventAttributes(TypedDict):
    details: NotRequired[str]
    scheduledEventId: int
    startedEventId: int
    latestCancelRequestedEventId: NotRequired[int]

class ActivityTaskCancelRequestedEventAttributes(TypedDict):
    decisionTaskCompletedEventId: int
    activityId: str

class WorkflowExecutionSignaledEventAttributes(TypedDict):
    signalName: str
    input: NotRequired[str]
    externalWorkflowExecution: NotRequired[WorkflowExecution]
    externalInitiatedEventId: NotRequired[int]

class MarkerRecordedEventAttributes(TypedDict):
    markerName: str
    details: NotRequired[str]
    decisionTaskCompletedEventId: int

class RecordMarkerFailedEventAttributes(TypedDict):
    markerName: str
    cause: RecordMarkerFailedCause
    decisionTaskCompletedEventId: int

class TimerStartedEventAttributes(TypedDict):
    timerId: str
    control: NotRequired[str]
    startToFireTimeout: str
    decisionTaskCompletedEventId: int

class TimerFiredEventAttributes(TypedDict):
    timerId: str
    startedEventId: int

class TimerCanceledEventAttributes(TypedDict):
    timerId: str
    startedEventId: int
    decisionTaskCompletedEventId: int

class StartChildWorkflowExecutionInitiatedEventAttributes(TypedDict):
    workflowId: str
    workflowType: WorkflowType
    control: NotRequired[str]
    input: NotRequired[str]
    executionStartToCloseTimeout: NotRequired[str]
    taskList: TaskList
    taskPriority: NotRequired[str]
    decisionTaskCompletedEventId: int
    childPolicy: ChildPolicy
    taskStartToCloseTimeout: NotRequired[str]
    tagList: NotRequired[list[str]]
    lambdaRole: NotRequired[str]

class ChildWorkflowExecutionStartedEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    initiatedEventId: int

class ChildWorkflowExecutionCompletedEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    result: NotRequired[str]
    initiatedEventId: int
    startedEventId: int

class ChildWorkflowExecutionFailedEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    reason: NotRequired[str]
    details: NotRequired[str]
    initiatedEventId: int
    startedEventId: int

class ChildWorkflowExecutionTimedOutEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    timeoutType: WorkflowExecutionTimeoutType
    initiatedEventId: int
    startedEventId: int

class ChildWorkflowExecutionCanceledEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    details: NotRequired[str]
    initiatedEventId: int
    startedEventId: int

class ChildWorkflowExecutionTerminatedEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    initiatedEventId: int
    startedEventId: int

class SignalExternalWorkflowExecutionInitiatedEventAttributes(TypedDict):
    workflowId: str
    runId: NotRequired[str]
    signalName: str
    input: NotRequired[str]
    decisionTaskCompletedEventId: int
    control: NotRequired[str]

class ExternalWorkflowExecutionSignaledEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    initiatedEventId: int

class SignalExternalWorkflowExecutionFailedEventAttributes(TypedDict):
    workflowId: str
    runId: NotRequired[str]
    cause: SignalExternalWorkflowExecutionFailedCause
    initiatedEventId: int
    decisionTaskCompletedEventId: int
    control: NotRequired[str]

class ExternalWorkflowExecutionCancelRequestedEventAttributes(TypedDict):
    workflowExecution: WorkflowExecution
    initiatedEventId: int

class RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(TypedDict):
    workflowId: str
    runId: NotRequired[str]
    decisionTaskCompletedEventId: int
    control: NotRequired[str]

class RequestCancelExternalWorkflowExecutionFailedEventAttributes(TypedDict):
    workflowId: str
    runId: NotRequired[str]
    cause: RequestCancelExternalWorkflowExecutionFailedCause
    initiatedEventId: int
    decisionTaskCompletedEventId: int
    control: NotRequired[str]

class ScheduleActivityTaskFailedEventAttributes(TypedDict):
    activityType: ActivityType
    activityId: str
    cause: ScheduleActivityTaskFailedCause
    decisionTaskCompletedEventId: int

class RequestCancelActivityTaskFailedEventAttributes(TypedDict):
    activityId: str
    cause: RequestCancelActivityTaskFailedCause
    decisionTaskCompletedEventId: int

class StartTimerFailedEventAttributes(TypedDict):
    timerId: str
    cause: StartTimerFailedCause
    decisionTaskCompletedEventId: int

class CancelTimerFailedEventAttributes(TypedDict):
    timerId: str
    cause: CancelTimerFailedCause
    decisionTaskCompletedEventId: int

class StartChildWorkflowExecutionFailedEventAttributes(TypedDict):
    workflowType: WorkflowType
    cause: StartChildWorkflowExecutionFailedCause
    workflowId: str
    initiatedEventId: int
    decisionTaskCompletedEventId: int
    control: NotRequired[str]

class LambdaFunctionScheduledEventAttributes(TypedDict):
    id: str
    name: str
    control: NotRequired[str]
    input: NotRequired[str]
    startToCloseTimeout: NotRequired[str]
    decisionTaskCompletedEventId: int

class LambdaFunctionStartedEventAttributes(TypedDict):
    scheduledEventId: int

class LambdaFunctionCompletedEventAttributes(TypedDict):
    scheduledEventId: int
    startedEventId: int
    result: NotRequired[str]

class LambdaFunctionFailedEventAttributes(TypedDict):
    scheduledEventId: int
    startedEventId: int
    reason: NotRequired[str]
    details: NotRequired[str]

class LambdaFunctionTimedOutEventAttributes(TypedDict):
    scheduledEventId: int
    startedEventId: int
    timeoutType: NotRequired[LambdaFunctionTimeoutType]

class ScheduleLambdaFunctionFailedEventAttributes(TypedDict):
    id: str
    name: str
    cause: ScheduleLambdaFunctionFailedCause
    decisionTaskCompletedEventId: int

class StartLambdaFunctionFailedEventAttributes(TypedDict):
    scheduledEventId: NotRequired[int]
    cause: NotRequired[StartLambdaFunctionFailedCause]
    message: NotRequired[str]

class HistoryEvent(TypedDict):
    eventTimestamp: datetime
    eventType: EventType
    eventId: int
    workflowExecutionStartedEventAttributes: NotRequired[WorkflowExecutionStartedEventAttributes]
    workflowExecutionCompletedEventAttributes: NotRequired[WorkflowExecutionCompletedEventAttributes]
    completeWorkflowExecutionFailedEventAttributes: NotRequired[CompleteWorkflowExecutionFailedEventAttributes]
    workflowExecutionFailedEventAttributes: NotRequired[WorkflowExecutionFailedEventAttributes]
    failWorkflowExecutionFailedEventAttributes: NotRequired[FailWorkflowExecutionFailedEventAttributes]
    workflowExecutionTimedOutEventAttributes: NotRequired[WorkflowExecutionTimedOutEventAttributes]
    workflowExecutionCanceledEventAttributes: NotRequired[WorkflowExecutionCanceledEventAttributes]
    cancelWorkflowExecutionFailedEventAttributes: NotRequired[CancelWorkflowExecutionFailedEventAttributes]
    workflowExecutionContinuedAsNewEventAttributes: NotRequired[WorkflowExecutionContinuedAsNewEventAttributes]
    continueAsNewWorkflowExecutionFailedEventAttributes: NotRequired[ContinueAsNewWorkflowExecutionFailedEventAttributes]
    workflowExecutionTerminatedEventAttributes: NotRequired[WorkflowExecutionTerminatedEventAttributes]
    workflowExecutionCancelRequestedEventAttributes: NotRequired[WorkflowExecutionCancelRequestedEventAttributes]
    decisionTaskScheduledEventAttributes: NotRequired[DecisionTaskScheduledEventAttributes]
    decisionTaskStartedEventAttributes: NotRequired[DecisionTaskStartedEventAttributes]
    decisionTaskCompletedEventAttributes: NotRequired[DecisionTaskCompletedEventAttributes]
    decisionTaskTimedOutEventAttributes: NotRequired[DecisionTaskTimedOutEventAttributes]
    activityTaskScheduledEventAttributes: NotRequired[ActivityTaskScheduledEventAttributes]
    activityTaskStartedEventAttributes: NotRequired[ActivityTaskStartedEventAttributes]
    activityTaskCompletedEventAttributes: NotRequired[ActivityTaskCompletedEventAttributes]
    activityTaskFailedEventAttributes: NotRequired[ActivityTaskFailedEventAttributes]
    activityTaskTimedOutEventAttributes: NotRequired[ActivityTaskTimedOutEventAttributes]
    activityTaskCanceledEventAttributes: NotRequired[ActivityTaskCanceledEventAttributes]
    activityTaskCancelRequestedEventAttributes: NotRequired[ActivityTaskCancelRequestedEventAttributes]
    workflowExecutionSignaledEventAttributes: NotRequired[WorkflowExecutionSignaledEventAttributes]
    markerRecordedEventAttributes: NotRequired[MarkerRecordedEventAttributes]
    recordMarkerFailedEventAttributes: NotRequired[RecordMarkerFailedEventAttributes]
    timerStartedEventAttributes: NotRequired[TimerStartedEventAttributes]
    timerFiredEventAttributes: NotRequired[TimerFiredEventAttributes]
    timerCanceledEventAttributes: NotRequired[TimerCanceledEventAttributes]
    startChildWorkflowExecutionInitiatedEventAttributes: NotRequired[StartChildWorkflowExecutionInitiatedEventAttributes]
    childWorkflowExecutionStartedEventAttributes: NotRequired[ChildWorkflowExecutionStartedEventAttributes]
    childWorkflowExecutionCompletedEventAttributes: NotRequired[ChildWorkflowExecutionCompletedEventAttributes]
    childWorkflowExecutionFailedEventAttributes: NotRequired[ChildWorkflowExecutionFailedEventAttributes]
    childWorkflowExecutionTimedOutEventAttributes: NotRequired[ChildWorkflowExecutionTimedOutEventAttributes]
    childWorkflowExecutionCanceledEventAttributes: NotRequired[ChildWorkflowExecutionCanceledEventAttributes]
    childWorkflowExecutionTerminatedEventAttributes: NotRequired[ChildWorkflowExecutionTerminatedEventAttributes]
    signalExternalWorkflowExecutionInitiatedEventAttributes: NotRequired[SignalExternalWorkflowExecutionInitiatedEventAttributes]
    externalWorkflowExecutionSignaledEventAttributes: NotRequired[ExternalWorkflowExecutionSignaledEventAttributes]
    signalExternalWorkflowExecutionFailedEventAttributes: NotRequired[SignalExternalWorkflowExecutionFailedEventAttributes]
    externalWorkflowExecutionCancelRequestedEventAttributes: NotRequired[ExternalWorkflowExecutionCancelRequestedEventAttributes]
    requestCancelExternalWorkflowExecutionInitiatedEventAttributes: NotRequired[RequestCancelExternalWorkflowExecutionInitiatedEventAttributes]
    requestCancelExternalWorkflowExecutionFailedEventAttributes: NotRequired[RequestCancelExternalWorkflowExecutionFailedEventAttributes]
    scheduleActivityTaskFailedEventAttributes: NotRequired[ScheduleActivityTaskFailedEventAttributes]
    requestCancelActivityTaskFailedEventAttributes: NotRequired[RequestCancelActivityTaskFailedEventAttributes]
    startTimerFailedEventAttributes: NotRequired[StartTimerFailedEventAttributes]
    cancelTimerFailedEventAttributes: NotRequired[CancelTimerFailedEventAttributes]
    startChildWorkflowExecutionFailedEventAttributes: NotRequired[StartChildWorkflowExecutionFailedEventAttributes]
    lambdaFunctionScheduledEventAttributes: NotRequired[LambdaFunctionScheduledEventAttributes]
    lambdaFunctionStartedEventAttributes: NotRequired[LambdaFunctionStartedEventAttributes]
    lambdaFunctionCompletedEventAttributes: NotRequired[LambdaFunctionCompletedEventAttributes]
    lambdaFunctionFailedEventAttributes: NotRequired[LambdaFunctionFailedEventAttributes]
    lambdaFunctionTimedOutEventAttributes: NotRequired[LambdaFunctionTimedOutEventAttributes]
    scheduleLambdaFunctionFailedEventAttributes: NotRequired[ScheduleLambdaFunctionFailedEventAttributes]
    startLambdaFunctionFailedEventAttributes: NotRequired[StartLambdaFunctionFailedEventAttributes]

class History(TypedDict):
    events: list[HistoryEvent]
    nextPageToken: NotRequired[str]

class ActivityTypeInfos(TypedDict):
    typeInfos: list[ActivityTypeInfo]
    nextPageToken: NotRequired[str]

class WorkflowExecutionInfos(TypedDict):
    executionInfos: list[WorkflowExecutionInfo]
    nextPageToken: NotRequired[str]

class DomainInfos(TypedDict):
    domainInfos: list[DomainInfo]
    nextPageToken: NotRequired[str]

class ListTagsForResourceOutput(TypedDict):
    tags: NotRequired[list[ResourceTag]]

class WorkflowTypeInfos(TypedDict):
    typeInfos: list[WorkflowTypeInfo]
    nextPageToken: NotRequired[str]

class ActivityTask(TypedDict):
    taskToken: str
    activityId: str
    startedEventId: int
    workflowExecution: WorkflowExecution
    activityType: ActivityType
    input: NotRequired[str]

class DecisionTask(TypedDict):
    taskToken: str
    startedEventId: int
    workflowExecution: WorkflowExecution
    workflowType: WorkflowType
    events: list[HistoryEvent]
    nextPageToken: NotRequired[str]
    previousStartedEventId: NotRequired[int]

class ActivityTaskStatus(TypedDict):
    cancelRequested: bool

class Run(TypedDict):
    runId: NotRequired[str]

class BotoMethods:
    """The methods of SWF, as boto3 has them."""

    def count_closed_workflow_executions(
        self,
        *,
        domain: str,
        startTimeFilter: ExecutionTimeFilter = ...,
        closeTimeFilter: ExecutionTimeFilter = ...,
        executionFilter: WorkflowExecutionFilter = ...,
        typeFilter: WorkflowTypeFilter = ...,
        tagFilter: TagFilter = ...,
        closeStatusFilter: CloseStatusFilter = ...,
    ) -> WorkflowExecutionCount: ...
    def count_open_workflow_executions(
        self,
        *,
        domain: str,
        startTimeFilter: ExecutionTimeFilter,
        typeFilter: WorkflowTypeFilter = ...,
        tagFilter: TagFilter = ...,
        executionFilter: WorkflowExecutionFilter = ...,
    ) -> WorkflowExecutionCount: ...
    def count_pending_activity_tasks(self, *, domain: str, taskList: TaskList) -> PendingTaskCount: ...
    def count_pending_decision_tasks(self, *, domain: str, taskList: TaskList) -> PendingTaskCount: ...
    def delete_activity_type(self, *, domain: str, activityType: ActivityType) -> dict[str, Any]: ...
    def delete_workflow_type(self, *, domain: str, workflowType: WorkflowType) -> dict[str, Any]: ...
    def deprecate_activity_type(self, *, domain: str, activityType: ActivityType) -> dict[str, Any]: ...
    def deprecate_domain(self, *, name: str) -> dict[str, Any]: ...
    def deprecate_workflow_type(self, *, domain: str, workflowType: WorkflowType) -> dict[str, Any]: ...
    def describe_activity_type(self, *, domain: str, activityType: ActivityType) -> ActivityTypeDetail: ...
    def describe_domain(self, *, name: str) -> DomainDetail: ...
    def describe_workflow_execution(self, *, domain: str, execution: WorkflowExecution) -> WorkflowExecutionDetail: ...
    def describe_workflow_type(self, *, domain: str, workflowType: WorkflowType) -> WorkflowTypeDetail: ...
    def get_workflow_execution_history(
        self,
        *,
        domain: str,
        execution: WorkflowExecution,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
    ) -> History: ...
    def list_activity_types(
        self,
        *,
        domain: str,
        registrationStatus: RegistrationStatus,
        name: str = ...,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
    ) -> ActivityTypeInfos: ...
    def list_closed_workflow_executions(
        self,
        *,
        domain: str,
        startTimeFilter: ExecutionTimeFilter = ...,
        closeTimeFilter: ExecutionTimeFilter = ...,
        executionFilter: WorkflowExecutionFilter = ...,
        closeStatusFilter: CloseStatusFilter = ...,
        typeFilter: WorkflowTypeFilter = ...,
        tagFilter: TagFilter = ...,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
    ) -> WorkflowExecutionInfos: ...
    def list_domains(
        self,
        *,
        registrationStatus: RegistrationStatus,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
    ) -> DomainInfos: ...
    def list_open_workflow_executions(
        self,
        *,
        domain: str,
        startTimeFilter: ExecutionTimeFilter,
        typeFilter: WorkflowTypeFilter = ...,
        tagFilter: TagFilter = ...,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
        executionFilter: WorkflowExecutionFilter = ...,
    ) -> WorkflowExecutionInfos: ...
    def list_tags_for_resource(self, *, resourceArn: str) -> ListTagsForResourceOutput: ...
    def list_workflow_types(
        self,
        *,
        domain: str,
        registrationStatus: RegistrationStatus,
        name: str = ...,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
    ) -> WorkflowTypeInfos: ...
    def poll_for_activity_task(self, *, domain: str, taskList: TaskList, identity: str = ...) -> ActivityTask: ...
    def poll_for_decision_task(
        self,
        *,
        domain: str,
        taskList: TaskList,
        identity: str = ...,
        nextPageToken: str = ...,
        maximumPageSize: int = ...,
        reverseOrder: bool = ...,
        startAtPreviousStartedEvent: bool = ...,
    ) -> DecisionTask: ...
    def record_activity_task_heartbeat(self, *, taskToken: str, details: str = ...) -> ActivityTaskStatus: ...
    def register_activity_type(
        self,
        *,
        domain: str,
        name: str,
        version: str,
        description: str = ...,
        defaultTaskStartToCloseTimeout: str = ...,
        defaultTaskHeartbeatTimeout: str = ...,
        defaultTaskList: TaskList = ...,
        defaultTaskPriority: str = ...,
        defaultTaskScheduleToStartTimeout: str = ...,
        defaultTaskScheduleToCloseTimeout: str = ...,
    ) -> dict[str, Any]: ...
    def register_domain(
        self,
        *,
        name: str,
        workflowExecutionRetentionPeriodInDays: str,
        description: str = ...,
        tags: list[ResourceTag] = ...,
    ) -> dict[str, Any]: ...
    def register_workflow_type(
        self,
        *,
        domain: str,
        name: str,
        version: str,
        description: str = ...,
        defaultTaskStartToCloseTimeout: str = ...,
        defaultExecutionStartToCloseTimeout: str = ...,
        defaultTaskList: TaskList = ...,
        defaultTaskPriority: str = ...,
        defaultChildPolicy: ChildPolicy = ...,
        defaultLambdaRole: str = ...,
    ) -> dict[str, Any]: ...
    def request_cancel_workflow_execution(
        self,
        *,
        domain: str,
        workflowId: str,
        runId: str = ...,
    ) -> dict[str, Any]: ...
    def respond_activity_task_canceled(self, *, taskToken: str, details: str = ...) -> dict[str, Any]: ...
    def respond_activity_task_completed(self, *, taskToken: str, result: str = ...) -> dict[str, Any]: ...
    def respond_activity_task_failed(
        self,
        *,
        taskToken: str,
        reason: str = ...,
        details: str = ...,
    ) -> dict[str, Any]: ...
    def respond_decision_task_completed(
        self,
        *,
        taskToken: str,
        decisions: list[Decision] = ...,
        executionContext: str = ...,
        taskList: TaskList = ...,
        taskListScheduleToStartTimeout: str = ...,
    ) -> dict[str, Any]: ...
    def signal_workflow_execution(
        self,
        *,
        domain: str,
        workflowId: str,
        signalName: str,
        runId: str = ...,
        input: str = ...,
    ) -> dict[str, Any]: ...
    def start_workflow_execution(
        self,
        *,
        domain: str,
        workflowId: str,
        workflowType: WorkflowType,
        taskList: TaskList = ...,
        taskPriority: str = ...,
        input: str = ...,
        executionStartToCloseTimeout: str = ...,
        tagList: list[str] = ...,
        taskStartToCloseTimeout: str = ...,
        childPolicy: ChildPolicy = ...,
        lambdaRole: str = ...,
    ) -> Run: ...
    def tag_resource(self, *, resourceArn: str, tags: list[ResourceTag]) -> dict[str, Any]: ...
    def terminate_workflow_execution(
        self,
        *,
        domain: str,
        workflowId: str,
        runId: str = ...,
        reason: str = ...,
        details: str = ...,
        childPolicy: ChildPolicy = ...,
    ) -> dict[str, Any]: ...
    def undeprecate_activity_type(self, *, domain: str, activityType: ActivityType) -> dict[str, Any]: ...
    def undeprecate_domain(self, *, name: str) -> dict[str, Any]: ...
    def undeprecate_workflow_type(self, *, domain: str, workflowType: WorkflowType) -> dict[str, Any]: ...
    def untag_resource(self, *, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]: ...
