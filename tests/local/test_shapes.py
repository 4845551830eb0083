"""The two ways of checking a request agree, and the second finds the service's words."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genflow.local.errors import ServiceError
from genflow.local.requests.model import operation_model, operations
from genflow.local.requests.validation import DECISION_TYPES, checked, decision_member, quick_check
from tests.profile import examples

SAMPLES = {
    'DurationInSeconds': '10',
    'DurationInSecondsOptional': '10',
    'DurationInDays': '10',
    'TaskPriority': '10',
    'Arn': 'arn:x',
}


def sample(shape):
    """A whole request, every member given."""
    if shape.type_name == 'structure' and shape.name == 'Decision':
        return {
            'decisionType': 'StartTimer',
            'startTimerDecisionAttributes': {'timerId': 't', 'startToFireTimeout': '1'},
        }
    if shape.type_name == 'structure':
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == 'list':
        return [sample(shape.member)]
    if shape.type_name == 'string':
        return SAMPLES.get(shape.name) or (shape.metadata.get('enum') or ['name'])[0]
    return {'integer': 1, 'boolean': True, 'timestamp': 1.5}[shape.type_name]


def whole(operation):
    return sample(operation_model(operation).input_shape)


def places(value, path=()):
    """Every place in a request."""
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from places(member, (*path, index))


def put(request, path, value):
    """A copy of the request with another value at that place."""
    if not path:
        return value
    request = copy.deepcopy(request)
    inner = request
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return request


WRONG = [None, '', 'x' * 300, 'x' * 40_000, '\x00', 'a:b', 'arn', ' ', '-1', 'NONE', '99999999', 1, -1, 1001, True, 1.5]
WRONG += [[], {}, ['x'] * 6, {'name': 'n'}, {'colour': 'red'}, '\ud800', 'é' * 256, [None], ()]


@pytest.mark.parametrize('operation', operations().values())
def test_a_whole_request_is_right(operation):
    request = whole(operation)
    assert quick_check(operation)(request)
    assert checked(operation, request) == request


@pytest.mark.thorough
@settings(max_examples=examples(300, 3000, few=30))
@given(st.data())
def test_both_ways_agree(data):
    """What the quick check takes is taken as it is; the rest is refused, or taken without nulls and strangers."""
    operation = data.draw(st.sampled_from(sorted(operations().values())))
    request = whole(operation)
    for _ in range(data.draw(st.integers(1, 2))):
        request = put(request, data.draw(st.sampled_from(list(places(request)))), data.draw(st.sampled_from(WRONG)))
    quick = quick_check(operation)(request)
    try:
        clean = checked(operation, request)
    except ServiceError:
        assert not quick
    else:
        assert quick_check(operation)(clean)
        assert clean == request or not quick


@pytest.mark.parametrize('kind', DECISION_TYPES)
@pytest.mark.parametrize('null', [False, True])
def test_a_decision_without_its_attributes_has_empty_ones(kind, null):
    member = decision_member(kind)
    bare = {'decisionType': kind, **({member: None} if null else {})}
    assert outcome([bare]) == outcome([{'decisionType': kind, member: {}}])


def outcome(decisions):
    """The response as the service takes it, or the words with which it is refused."""
    try:
        return checked('RespondDecisionTaskCompleted', {'taskToken': 't', 'decisions': decisions})
    except ServiceError as error:
        return error.message


@pytest.mark.parametrize('size', [1e999, -1e999, 1e30, 1 << 31, -(1 << 31), 10**400])
def test_an_integer_out_of_range_breaks_a_constraint(size):
    with pytest.raises(
        ServiceError, match=r"ValidationException: 1 validation error detected: Value '.*' at 'maximumPageSize'"
    ):
        checked('ListDomains', {'registrationStatus': 'REGISTERED', 'maximumPageSize': size})


@pytest.mark.parametrize('text', ['9' * 5_000, '0' * 5_000 + '1', '-' + '9' * 5_000])
@pytest.mark.parametrize('member', ['defaultTaskPriority', 'defaultTaskStartToCloseTimeout'])
def test_a_number_of_thousands_of_digits_breaks_a_constraint(member, text):
    with pytest.raises(ServiceError, match=rf"ValidationException: .* at '{member}' failed"):
        checked('RegisterWorkflowType', {'domain': 'd', 'name': 'w', 'version': '1', member: text})


def test_a_number_may_have_zeros_before_it():
    request = {'domain': 'd', 'name': 'w', 'version': '1', 'defaultTaskPriority': '-0000000000007'}
    assert checked('RegisterWorkflowType', request) == request


MOMENTS = [1e999, -1e999, 1e300, 10**400, 253_402_300_800, -62_135_596_801, float('nan')]


@pytest.mark.parametrize('moment', MOMENTS, ids=str)
def test_a_moment_out_of_range_breaks_a_constraint(moment):
    with pytest.raises(ServiceError, match=r"ValidationException: 1 .* at 'startTimeFilter\.oldestDate' failed"):
        checked('CountOpenWorkflowExecutions', {'domain': 'd', 'startTimeFilter': {'oldestDate': moment}})


@pytest.mark.parametrize('moment', [-62_135_596_800, -0.5, 0, 1.5, 253_402_300_799])
def test_a_moment_of_any_year_is_right(moment):
    request = {'domain': 'd', 'startTimeFilter': {'oldestDate': moment}}
    assert checked('CountOpenWorkflowExecutions', request) == request


def test_all_that_is_wrong_is_listed_in_order():
    with pytest.raises(ServiceError) as caught:
        checked('RegisterDomain', {'name': 'a:b', 'description': 'x' * 1025})
    assert caught.value.message.startswith("3 validation errors detected: Value 'a:b' at 'name'")
    assert caught.value.message.endswith(
        "Value null at 'workflowExecutionRetentionPeriodInDays' failed to satisfy constraint: Member must not be null"
    )


def test_a_wrong_json_type_is_a_serialization_error():
    with pytest.raises(ServiceError) as caught:
        checked('DescribeDomain', {'name': 7})
    assert (caught.value.code, caught.value.status) == ('SerializationException', 400)
    assert caught.value.type == 'com.amazonaws.swf.base.model#SerializationException'


@pytest.mark.parametrize('request_', [None, [], 'x', 7])
def test_a_request_that_is_no_object(request_):
    with pytest.raises(ServiceError, match='SerializationException'):
        checked('ListDomains', request_)
