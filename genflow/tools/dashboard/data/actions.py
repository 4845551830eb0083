"""The actions on executions: one table, from which forms, previews, calls and command lines are made.

Every action is a call of a SWF client, so that it works with any service. Only a repair is none: it copies a
history into a new run, which the source has to offer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from uuid import uuid4

from attrs import evolve, frozen

from genflow.core.model.registry import WorkflowSpec
from genflow.core.tasks.signals import Misfit, declared_signals
from genflow.insight import ExecutionView
from genflow.insight.command_line import command_line, value_of
from genflow.insight.repair import REPAIRABLE, Repair, plan_repair
from genflow.swf.client.handles import Client
from genflow.tools.dashboard.data.source import Source
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.gathering import spec_of_type
from genflow.tools.executions.rerun import request_of

__all__ = ['ACTIONS', 'BULK', 'NO_REPAIR', 'Action', 'Field', 'Refusal', 'Target', 'Task', 'plan_of']


OPEN = frozenset({'open'})

UPDATE_SECONDS = 5.0
"""Seconds that a page waits for the reply to an update."""


class Refusal(Exception):
    """An action cannot be carried out; the text gives the reason and an alternative."""


@frozen
class Target:
    """The run of an action; ``workflow_id:run_id`` in forms, for a workflow id holds no colon."""

    workflow_id: str
    run_id: str

    @classmethod
    def of(cls, text: str) -> Target:
        workflow_id, _, run_id = text.rpartition(':')
        return cls(workflow_id, run_id)

    def __str__(self) -> str:
        return f'{self.workflow_id}:{self.run_id}'


@frozen
class Field:
    """A field of a form.

    Attributes:
        name: Of the input.
        label: For people.
        kind: ``text``, ``value`` (JSON or text), ``check`` or ``hidden``.
        help: What to write.
        is_required: Whether it may not be empty.
        most: Characters.
        value: What it begins with.
    """

    name: str
    label: str
    kind: str = 'text'
    help: str = ''
    is_required: bool = False
    most: int = 32_768
    value: str = ''


Values = Mapping[str, str]


@frozen
class Task:
    """An action on one run, with what was typed.

    Attributes:
        source: The service.
        domain: The domain.
        target: The run.
        values: By the names of the fields.
        spec_of: Gives the class of a workflow type, where it is at hand.
    """

    source: Source
    domain: str
    target: Target
    values: Values
    spec_of: Callable[[str, str], WorkflowSpec | None] = spec_of_type

    @property
    def named(self) -> dict[str, str]:
        """The run as a request names it."""
        return {'domain': self.domain, 'workflowId': self.target.workflow_id, 'runId': self.target.run_id}

    @property
    def tail(self) -> HistoryTail:
        return HistoryTail(self.source.client, self.domain, self.target.workflow_id, self.target.run_id)

    def value(self, name: str) -> str:
        return self.values.get(name, '').strip()

    def view(self) -> ExecutionView:
        return ExecutionView(self.target.workflow_id, self.target.run_id).apply_all(self.tail.since(0))

    def command(self, verb: str, *words: str, options: Iterable[str] = (), service: str | None = None) -> str:
        """A command line about the run; for the service that is looked at unless another one is named."""
        arguments, options = (self.target.workflow_id, *words), ('--run-id', self.target.run_id, *options)
        service = self.source.options_for(self.domain) if service is None else service
        return command_line(verb, arguments, options, service)

    def answer_command(self, verb: str, *words: str) -> str:
        """A command line about an activity task, whose token says everything."""
        return command_line(f'activity {verb}', words, service=self.source.options)


@frozen
class Action:
    """One thing that can be done.

    Attributes:
        name: In addresses.
        title: On buttons.
        does: A sentence that describes the effect.
        perform: Carries it out, and describes the result.
        command: The same as a command line.
        states: Of executions that it can be done to; empty for all.
        fields: What is asked for.
        is_destructive: Whether work is lost.
    """

    name: str
    title: str
    does: str
    perform: Callable[[Task], str]
    command: Callable[[Task], str]
    states: frozenset[str] = OPEN
    fields: tuple[Field, ...] = ()
    is_destructive: bool = False

    def suits(self, status: str) -> bool:
        """Whether it can be done to an execution of a status."""
        return not self.states or status in self.states

    def check(self, values: Values, targets: int) -> None:
        """Refuses what cannot be sent.

        Raises:
            Refusal: A field is empty or too long, or no execution was chosen.
        """
        if not targets:
            raise Refusal('No execution was chosen.')
        for field in self.fields:
            text = values.get(field.name, '').strip()
            if field.is_required and not text:
                raise Refusal(f'{field.label} is empty. {field.help}'.strip())
            if len(text) > field.most:
                raise Refusal(f'{field.label} has {len(text):,} characters; at most {field.most:,} are possible.')

    def filled(self, values: Values) -> tuple[Field, ...]:
        """The fields with what was typed so far."""
        return tuple(evolve(one, value=values.get(one.name, one.value)) for one in self.fields)


def _signal(task: Task) -> str:
    typed = task.value('value')
    value = typed if task.value('as') == 'text' else value_of(typed) if typed else None
    name, text = task.value('name'), json.dumps(value)
    _check_signal(task, name, text)
    task.source.client.signal_workflow_execution(**task.named, signalName=name, input=text)
    return f'The signal {name!r} was sent.'


def _check_signal(task: Task, name: str, text: str) -> None:
    """Checks a signal against the class of the execution, if it is available.

    Raises:
        Refusal: The value is not of the type that the class declares, which would fail the workflow.
    """
    kind = task.tail.first()['workflowType']
    spec = task.spec_of(kind['name'], kind['version'])
    signal = None if spec is None else declared_signals(spec.cls).get(name)
    if spec is None or signal is None:
        return
    try:
        signal.reader()(text)
    except Misfit as error:
        raise Refusal(
            f'It was not sent: the value {error.kind}, as {spec.cls.__qualname__} declares the signal {name!r}. '
            f'{error.__cause__}'
        ) from error


def _signal_command(task: Task) -> str:
    typed = task.value('value')
    words = [task.value('name') or 'NAME', *filter(None, [json.dumps(typed) if task.value('as') == 'text' else typed])]
    return task.command('signal', *words)


def _update(task: Task) -> str:
    name, arguments = task.value('name'), _arguments(task)
    handle = Client(task.domain, task.source.client).execution(task.target.workflow_id, task.target.run_id)
    try:
        answer = handle.update(name, *arguments, timeout=UPDATE_SECONDS)
    except TimeoutError:
        return f'The update {name!r} was sent; there is no reply yet. It will be an event of the execution.'
    return f'The update {name!r} gave {json.dumps(answer, ensure_ascii=False, default=str)}.'


def _arguments(task: Task) -> list[object]:
    text = task.value('arguments') or '[]'
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise Refusal('The arguments are not a list in JSON. Write them like ["text", 5], or [] for none.')
    return found


def _update_command(task: Task) -> str:
    try:
        words = [json.dumps(one, ensure_ascii=False) for one in _arguments(task)]
    except Refusal:
        words = ['ARGUMENTS']
    name = task.value('name') or 'NAME'
    return task.command('update', name, *words)


def _cancel(task: Task) -> str:
    task.source.client.request_cancel_workflow_execution(**task.named)
    return 'Its cancellation was requested; the workflow decides how it ends.'


def _terminate(task: Task) -> str:
    reason = task.value('reason')
    task.source.client.terminate_workflow_execution(**task.named, **({'reason': reason} if reason else {}))
    return 'It was terminated.'


def _terminate_command(task: Task) -> str:
    return task.command('terminate', options=['--reason', task.value('reason')] if task.value('reason') else ())


def _rerun(task: Task) -> str:
    request = request_of(task.tail.first(), task.target.run_id)
    request |= {'domain': task.domain, 'workflowId': _new_id(task)}
    run_id = task.source.client.start_workflow_execution(**request)['runId']
    return f'{request["workflowId"]} was started as run {run_id}.'


def _new_id(task: Task) -> str:
    kind = task.value('ids')
    return f'{task.target.workflow_id[:240]}-{uuid4().hex[:8]}' if kind else task.target.workflow_id


def _rerun_command(task: Task) -> str:
    return task.command(
        'rerun', options=['--id', f'{task.target.workflow_id[:240]}-again'] if task.value('ids') else ()
    )


def plan_of(task: Task) -> Repair:
    """The plan of a repair."""
    return plan_repair(task.view(), task.source.clock())


NO_REPAIR = (
    'This dashboard cannot repair: a repair copies a history, which no request of SWF does. Where a genflow server '
    'answers, repair it in the dashboard of `genflow server --ui`, `genflow dev` or `genflow ui --db FILE`. '
    'A rerun starts it again with the same input.'
)
"""The text for a repair if the source has no ``fork``."""


def _repair(task: Task) -> str:
    if task.source.fork is None:
        raise Refusal(NO_REPAIR)
    view = task.view()
    plan = plan_repair(view, task.source.clock())
    if plan.forgotten and not task.value('force'):
        labels = ', '.join(one.label for one in plan.forgotten[:10])
        raise Refusal(
            f'{labels}: called after the last trusted event, and may have undone trusted work. '
            'Tick “Continue without the calls made since”.'
        )
    run_id = task.source.fork(task.domain, str(view.workflow_id), str(view.run_id), plan.events)
    return f'It goes on as run {run_id}.'


def _repair_command(task: Task) -> str:
    force = ['--force'] if task.value('force') else ()
    return task.command('repair', options=force, service=task.source.file_options_for(task.domain))


def _complete(task: Task) -> str:
    text = json.dumps(value_of(task.value('result')) if task.value('result') else None)
    task.source.client.respond_activity_task_completed(taskToken=task.value('token'), result=text)
    return 'The activity was completed.'


def _fail(task: Task) -> str:
    details = {'details': task.value('details')} if task.value('details') else {}
    task.source.client.respond_activity_task_failed(
        taskToken=task.value('token'), reason=task.value('reason'), **details
    )
    return 'The activity was failed.'


TOKEN = Field(
    'token', 'Task token', help='The value of self.token in the activity that left its worker.', is_required=True
)

_TABLE = (
    Action(
        'signal',
        'Signal',
        'Sends a signal to the workflow.',
        _signal,
        _signal_command,
        fields=(
            Field('name', 'Signal', is_required=True, most=256, help='The name that the class declares.'),
            Field('value', 'Value', 'value', 'JSON or plain text; empty means null.'),
            Field('as', 'Read the value as', 'hidden'),
        ),
    ),
    Action(
        'update',
        'Update',
        'Calls a method that is marked with @update, and waits some seconds for its result; a worker has to run.',
        _update,
        _update_command,
        fields=(
            Field('name', 'Update', is_required=True, most=256, help='The name of the method.'),
            Field('arguments', 'Arguments', 'value', 'A list in JSON, such as ["text", 5]; empty means none.'),
        ),
    ),
    Action(
        'cancel',
        'Cancel',
        'Requests cancellation; the workflow may clean up before it ends.',
        _cancel,
        lambda task: task.command('cancel'),
    ),
    Action(
        'terminate',
        'Terminate',
        'Ends the execution at once, without a clean-up. Its child policy decides what happens to its children.',
        _terminate,
        _terminate_command,
        fields=(Field('reason', 'Reason', most=256, help='Kept in the history.'),),
        is_destructive=True,
    ),
    Action(
        'rerun',
        'Rerun',
        'Starts a new execution with the same input, settings and tags.',
        _rerun,
        _rerun_command,
        states=frozenset(),
        fields=(Field('ids', 'Under a new workflow id', 'check', 'Required while the old execution is open.'),),
    ),
    Action(
        'repair',
        'Repair',
        'Continues as a new run from the decision before the failure; completed operations stay completed.',
        _repair,
        _repair_command,
        states=REPAIRABLE,
        fields=(Field('force', 'Continue without the calls made since', 'check'),),
    ),
    Action(
        'complete',
        'Complete an activity',
        'Completes an activity that left its worker (SuspendTask).',
        _complete,
        lambda task: task.answer_command(
            'complete', task.value('token') or 'TOKEN', *filter(None, [task.value('result')])
        ),
        fields=(TOKEN, Field('result', 'Result', 'value', 'JSON or plain text; empty means null.')),
    ),
    Action(
        'fail',
        'Fail an activity',
        'Fails an activity that left its worker (SuspendTask).',
        _fail,
        lambda task: task.answer_command('fail', task.value('token') or 'TOKEN', task.value('reason') or 'REASON'),
        fields=(
            TOKEN,
            Field('reason', 'Reason', is_required=True, most=256),
            Field('details', 'Details', 'value'),
        ),
    ),
)

ACTIONS = {action.name: action for action in _TABLE}
"""The actions, by name."""

BULK = tuple(action for action in _TABLE if action.name in ('signal', 'cancel', 'terminate', 'rerun', 'repair'))
"""The actions for many executions at once."""
