"""Where moto 5.2 does not do what Amazon SWF does, and what shows that SWF does it.

Every test that is expected to fail on moto, by the reason.  The table is strict: where moto has caught up, the test
shows as red until its line is taken out; and a line that names no test is an error.

A line is the test's file and name, without their `test_`; `*` stands for anything, and the parameters of a test follow
in brackets where only some of them differ.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_BY_REASON: dict[str, tuple[str, ...]] = {
    # Operations and decisions that moto has not got.
    'moto has no RespondActivityTaskCanceled; it is one of the 39 operations of the API': (
        'activity_tasks.an_answer_is_recorded[canceled]',
        'activity_tasks.an_answer_without_members_is_recorded_without_them[canceled]',
        'activity_tasks.an_answer_schedules_a_decision_task[canceled]',
        'activity_tasks.an_answer_closes_the_task[canceled]',
        'activity_tasks.a_call_*[respond_activity_task_canceled]',
        'activity_tasks.a_decision_token_is_no_activity_token[respond_activity_task_canceled]',
    ),
    'moto has no RequestCancelWorkflowExecution; it is one of the 39 operations of the API': (
        'requests.a_call_on_*[request_cancel_workflow_execution]',
        'requests.cancel_request_*',
        'requests.each_cancel_request_is_an_event',
        'closing.a_cancel_request_while_deciding_makes_a_close_unhandled',
        'describing.a_cancel_request_does_not_show_after_the_close',
        'history.a_cancelled_execution_as_the_service_recorded_it',
    ),
    'moto has no DeleteWorkflowType and no DeleteActivityType; the API has had them since 2024': (
        'activities.schedule_of_a_deleted_type',
        'types.unknown_type[delete-*',
        'types.type_in_an_unknown_domain[delete-*',
        'types.delete_*',
        'visibility.a_filter_on_a_type_that_is_gone',
    ),
    'moto has no CountOpenWorkflowExecutions and no CountClosedWorkflowExecutions': (
        'visibility.counts_*',
        'visibility.an_unknown_domain[count_*',
        'visibility.filters_exclude_each_other[*count_*',
        'visibility.close_status_excludes_the_others[count_*',
        'visibility.a_time_filter_is_needed[count_*',
        'visibility.a_closed_list_*[count_*',
    ),
    'moto knows no child executions; StartChildWorkflowExecution is one of the 13 decisions': (
        'children.*',
        'child_policies.*',
        'continued_children.*',
        'describing.describe_counts_what_is_open',
        'closing.open_activities_timers_and_children_do_not',
        'closing.close_may_share_a_batch_with[StartChildWorkflowExecution]',
        'visibility.a_child_shows_its_parent',
    ),
    'moto does not continue as new; ContinueAsNewWorkflowExecution is one of the 13 decisions': (
        'continuing.*',
        'closing.*[continue]',
        'visibility.close_status_filter',
        'visibility.a_continued_execution_is_open_and_closed',
    ),
    'moto has no signals and cancel requests between executions; both are among the 13 decisions': (
        'external.signal_initiated*',
        'external.signal_reaches_the_target',
        'external.signal_is_confirmed_to_the_sender',
        'external.signal_by_run_id',
        'external.signal_to_*',
        'external.signal_together_with_the_close',
        'external.signals_keep_their_order',
        'external.signal_refuses_names[name1]',
        'external.cancel_*',
        'external.what_comes_back_while_the_sender_decides_queues_one_task',
        'external.an_execution_of_another_domain_is_unknown',
        'closing.close_may_share_a_batch_with[SignalExternalWorkflowExecution]',
        'closing.close_may_share_a_batch_with[RequestCancelExternalWorkflowExecution]',
    ),
    'moto has no RequestCancelActivityTask; it is one of the 13 decisions': (
        'activity_ends.cancel_*',
        'activity_ends.a_worker_*',
        'activity_ends.an_activity_cancelled_before_its_start_leaves_the_list',
        'activity_ends.the_cancelling_comes_after_the_batch',
        'activity_ends.schedule_and_cancel_in_one_batch',
        'activity_tasks.a_heartbeat_tells_of_a_cancel_request',
        'closing.close_may_share_a_batch_with[RequestCancelActivityTask]',
    ),
    'moto has no ScheduleLambdaFunction; it is one of the 13 decisions': (
        'closing.close_may_share_a_batch_with[ScheduleLambdaFunction]',
    ),
    # Requests that moto does not check.
    'moto does not check lengths, enums, characters and durations; the model and the guide set them': (
        'activities.schedule_refuses_members[activityId[123]]',
        'activities.schedule_refuses_members[[!a]*',
        'activity_tasks.poll_refuses_*',
        'activity_tasks.an_answer_that_is_too_long*',
        'activity_tasks.a_refused_answer_leaves_the_task_open',
        'activity_tasks.heartbeat_details_have_at_most_2048_characters',
        'batches.a_refused_batch_records_nothing',
        'closing.close_refuses_what_is_too_long',
        'domains.register_domain_refuses_*',
        'domains.list_domains_refuses_a_status_outside_the_enum',
        'domains.tag_resource_with_more_than_fifty_tags',
        'domains.tag_resource_refuses_key',
        'executions.start_refuses_*',
        'requests.terminate_refuses_members',
        'task_lists.an_override_refuses_names',
        'timers.start_refuses_durations[?*',
        'timers.start_refuses_ids[?*',
        'timers.a_marker_refuses_names[name1]',
        'types.register_type_refuses_*',
        'types.register_workflow_type_refuses_*',
        'validation.a_value_outside_an_enum',
        'validation.a_string_that_is_too_*',
        'validation.a_run_id_has_1_to_64_characters',
        'validation.poll_refuses_task_lists',
        'validation.lengths_are_counted_in_characters',
        'validation.a_version_has_1_to_64_characters',
        'validation.start_refuses_domains',
        'visibility.an_unknown_close_status',
    ),
    'moto answers a missing member with an internal error, or not at all; recordings show ValidationException': (
        'task_lists.poll_needs_a_task_list',
        'validation.a_missing_member*',
        'validation.two_missing_members_in_the_order_of_the_model',
        'validation.the_request_is_checked_before_the_domain_exists',
        'visibility.a_time_filter_is_needed[list_open_workflow_executions]',
    ),
    'moto checks a batch in words of its own; what the service said, the enum included, has been recorded': (
        'batches.a_missing_member_of_a_decision',
        'batches.a_missing_block_of_attributes',
        'batches.two_missing_members_are_reported_together',
    ),
    'moto lets activities and timers share a batch with a close; clients of the service report that it does not': (
        'closing.close_is_incompatible_with',
    ),
    'moto refuses a null tag; recordings of 2016 show that the service kept it': ('validation.a_null_tag_stays',),
    # Pages and order.
    'moto knows no pages but in lists of executions; the model has page sizes and tokens': (
        'decision_pages.poll_pages_its_events',
        'decision_pages.every_page_of_a_task_repeats_the_rest',
        'decision_pages.a_page_token_*',
        'decision_pages.the_largest_page_of_a_task_has_100_events',
        'decision_pages.events_after_the_start_are_not_part_of_the_task',
        'decision_pages.the_next_page_of_a_timed_out_task',
        'decision_pages.a_corrupt_page_token',
        'decision_pages.poll_in_reverse_order_pages_from_the_end',
        'decision_pages.page_size_out_of_range',
        'domains.list_domains_pages',
        'history.pages_follow_each_other',
        'history.reverse_order_reverses_the_whole',
        'history.the_largest_page_has_100_events',
        'history.a_page_size_out_of_range',
        'history.a_*_page_token*',
        'history.a_page_token_*',
        'types.list_types_pages_through_all',
        'validation.page_sizes_out_of_range',
        'validation.corrupt_page_tokens',
        'visibility.lists_page',
        'visibility.closed_executions_page_by_close',
        'visibility.filters_and_pages_together',
    ),
    'moto knows no startAtPreviousStartedEvent; the model has it': (
        'decision_pages.start_at_previous_started_event_after_*',
        'decision_pages.start_at_previous_started_event_in_reverse',
        'decision_pages.start_at_previous_started_event_pages',
        'decision_pages.start_at_previous_started_event_trims_what_is_known',
    ),
    'moto lists executions in the order of their start; the model says descending unless reverseOrder is set': (
        'visibility.open_executions_*',
        'visibility.closed_executions_descend_by_start',
        'visibility.closed_executions_in_reverse_*',
    ),
    'moto lists types in the order of registration; the model says ascending by name': (
        'types.list_types_ascends_by_name_then_version',
    ),
    'moto ignores the name that a list of types is filtered by; the model has it': (
        'types.list_types_by_name_is_exact',
    ),
    'moto ignores time, execution and type filters; the model has them': (
        'visibility.start_time_filter_*',
        'visibility.close_time_filter',
        'visibility.execution_filter_matches_every_run_of_the_id',
        'visibility.type_filter',
        'visibility.filters_match_what_is_closed_too',
        'visibility.a_closed_list_takes_one_time_filter_only[list_closed_workflow_executions]',
    ),
    # Decision tasks.
    'moto leaves previousStartedEventId out of a first task; samples of the service have 0': (
        'decision_tasks.poll_gives_the_task',
    ),
    'moto counts a timed-out task as previous; the model says the last that was processed by the decider': (
        'decision_tasks.previous_started_event_is_not_that_of_a_timed_out_task',
        'decision_timeouts.a_timed_out_task_is_offered_again',
    ),
    'moto schedules a decision task for every event; recordings show one waiting and one queued at most': (
        'decision_tasks.a_waiting_task_serves_what_comes_after_it',
        'decision_pages.poll_in_reverse_order',
        'decision_timeouts.the_queued_task_serves_after_a_time_out',
        'describing.describe_counts_no_decision_task_while_one_is_started',
    ),
    'moto dates the task that follows a time-out later than the time-out; the guide shows one moment': (
        'decision_timeouts.a_task_that_is_not_answered_times_out',
    ),
    'moto fails inside when a timed-out task is answered; recordings show UnknownResourceFault': (
        'decision_timeouts.the_answer_to_a_timed_out_task_is_refused',
        'activity_ends.a_call_after_a_time_out[HEARTBEAT]',
    ),
    'moto cannot read NONE as the time-out of a decision; the model allows it': (
        'decision_timeouts.a_task_without_a_time_out_waits',
    ),
    'moto has no task list overrides; the model has them, AWS Flow relies on them': (
        'task_lists.a_list_without_a_time_out_replaces_the_old_one',
        'task_lists.an_override_is_recorded_with_the_completion',
        'task_lists.an_override_shows_on_the_next_task',
        'task_lists.an_override_lasts_until_it_is_replaced',
        'task_lists.an_override_may_wait_without_end',
        'task_lists.the_clock_of_an_override_starts_when_the_task_can_be_polled',
        'task_lists.later_tasks_carry_the_priority_of_the_execution',
        'task_lists.a_task_that_waits_too_long_on_an_override_goes_back',
        'task_lists.a_task_on_an_override_has_no_other_time_out_once_started',
        'task_lists.a_task_not_answered_on_an_override_goes_back',
        'task_lists.the_original_list_given_without_a_time_out_ends_an_override',
        'task_lists.a_permanent_list_is_what_a_later_override_goes_back_to',
    ),
    'moto finds only a cancel unhandled; the model and a recording have UNHANDLED_DECISION for every close': (
        'closing.close_is_unhandled_when_something_came_while_deciding[[!c]*',
        'closing.close_is_unhandled_when_something_came_while_deciding[complete]',
        'closing.close_succeeds_at_the_next_task[[!c]*',
        'closing.close_succeeds_at_the_next_task[complete]',
        'closing.an_unhandled_close_leaves_the_rest_of_the_batch_alone',
        'closing.an_activity_that_completes_while_deciding_makes_a_close_unhandled',
        'closing.a_timer_that_fires_while_deciding_makes_a_close_unhandled',
    ),
    'moto ignores priorities; the guide says that higher ones come first': (
        'activities.scheduled_shows_the_priority_of_the_type',
        'activity_tasks.tasks_of_a_higher_priority_come_first',
        'decision_tasks.tasks_of_a_higher_priority_come_first',
        'executions.priority_and_lambda_role_default_to_the_type',
        'executions.first_decision_task_shows_the_priority_of_the_execution',
        'types.describe_type_shows_every_default[activity]',
        'validation.priorities_in_range',
    ),
    # Activities.
    'moto shows only what the decision said; recordings show all four time-outs, resolved': (
        'activities.scheduled_shows_the_defaults_of_the_type',
    ),
    'moto never frees the id of a closed activity; a recording reuses one': ('activities.schedule_of_a_closed_id',),
    'moto has heartbeat time-outs only; the model has four kinds': (
        'activity_ends.time_out[S*',
        'activity_ends.a_time_out_is_dated_at_its_deadline[S*',
        'activity_ends.a_call_after_a_time_out[S*',
        'activity_ends.a_task_that_timed_out_waiting_leaves_the_list',
        'activity_ends.time_outs_are_recorded_in_the_order_of_their_deadlines',
        'activity_ends.a_time_out_of_zero_comes_at_once',
        'activity_ends.a_timed_out_activity_is_not_tried_again',
        'activity_ends.a_heartbeat_does_not_put_off_the_other_time_outs',
        'activity_ends.a_time_out_other_than_of_heartbeats_shows_the_last_details_too',
        'activity_ends.time_outs_while_deciding_queue_one_task',
    ),
    'moto lets the heartbeat clock run before the start; the guide says that it begins with it': (
        'activity_tasks.the_heartbeat_clock_does_not_run_before_the_start',
    ),
    'moto keeps the details of the last heartbeat that had some; the model says those of the last': (
        'activity_tasks.a_heartbeat_without_details_clears_them',
    ),
    'moto hands out the tasks of closed executions; the guide says that they are gone': (
        'activity_tasks.the_tasks_of_a_closed_execution_are_never_handed_out',
    ),
    # What events look like.
    'moto drops empty strings; recordings keep them': (
        'activity_tasks.an_answer_keeps_empty_strings',
        'closing.result_keeps_an_empty_string',
        'executions.started_keeps_an_empty_input',
        'requests.signal_keeps_an_empty_input',
        'timers.a_marker_keeps_empty_details',
    ),
    'moto drops zeros; recordings have parentInitiatedEventId and externalInitiatedEventId 0': (
        'executions.started_shows_what_the_request_overrides',
        'executions.started_shows_the_defaults_of_the_type',
        'requests.signal_is_recorded',
    ),
    'moto leaves the tags out of WorkflowExecutionStarted; the model has tagList': (
        'validation.five_tags_of_256_characters',
    ),
    'moto requires the input of a signal; the model does not': ('requests.signal_needs_no_input',),
    'moto leaves timerId out of CancelTimerFailed; the model requires it': (
        'closing.an_earlier_failure_of_the_batch_does_not',
        'decision_tasks.several_failed_decisions_share_one_task',
        'decision_tasks.a_failed_decision_uses_the_task_that_is_queued',
        'timers.cancel_of_*',
    ),
    'moto misspells TimerCanceled; the model has one l': (
        'closing.close_may_share_a_batch_with[CancelTimer]',
        'decision_tasks.decisions_are_recorded_in_their_order',
        'timers.an_id_is_free_again_when_it_is_cancelled',
        'timers.cancel_is_recorded',
        'timers.a_cancelled_timer_never_fires',
    ),
    # Timers.
    'moto schedules no decision task after StartTimerFailed; histories of the service have one': (
        'timers.start_of_an_open_id',
    ),
    'moto fires the timers of closed executions; nothing follows the close of a recorded history': (
        'timers.a_timer_ends_with_its_execution',
        'closing.nothing_follows_the_close[[!c]*',
        'closing.nothing_follows_the_close[ca*',
        'closing.nothing_follows_the_close[com*',
    ),
    'moto does not count open timers; the model has openTimers': ('describing.counts_are_frozen_by_the_close',),
    # What can be read.
    'moto describes dates that it made up; the model says when': (
        'describing.describe_shows_the_info_of_an_open_execution',
        'types.creation_date_is_the_time_of_registration',
        'types.deprecate_type_shows_status_and_date',
        'visibility.a*_shows_its_info',
    ),
    'moto closes a terminated execution without a date; the model says when': ('requests.terminate_closes_at_once',),
    'moto describes neither priority nor role; the model has both': ('describing.describe_shows_the_configuration',),
    'moto dates the latest activity by its schedule; recordings follow every event of an activity': (
        'describing.latest_activity_timestamp_follows_the_events_of_activities',
    ),
    'moto forgets the execution context with a response that has none; recordings keep the last one given': (
        'describing.execution_context_is_the_last_one_given',
        'describing.execution_context_may_be_set_to_nothing',
    ),
    'moto keeps closed executions for ever; the model has retention': (
        'describing.retention_ends_after_its_days',
        'describing.without_retention_a_closed_run_is_gone',
        'visibility.a_closed_execution_leaves_the_lists_with_its_retention',
    ),
    'moto counts started tasks as pending; pending ones wait in the list, for all that the model says': (
        'describing.pending_*_tasks_are_those_that_wait',
        'describing.nothing_of_a_closed_execution_is_pending',
        'describing.a_queued_task_is_not_pending_while_another_is_decided',
    ),
    # Domains.
    'moto changes nothing but the status of a deprecated domain; the model names the consequences': (
        'domains.deprecate_domain_deprecates_its_types',
        'domains.deprecated_domain_starts_no_execution',
        'domains.deprecated_domain_registers_no_*',
        'domains.undeprecate_domain_leaves_its_types_deprecated',
    ),
    'moto searches no deprecated domains; the model says that visibility goes on': (
        'domains.deprecated_domain_can_be_searched',
    ),
    'moto tags resources that do not exist; the model has UnknownResourceFault': (
        'domains.tags_of_an_unknown_resource',
    ),
}


def reason_for(test: str) -> str | None:
    """Why a test fails on moto, by its line (`file.name[parameters]`); None where it is expected to pass."""
    names = (test, test.partition('[')[0])
    for reason, lines in _BY_REASON.items():
        if any(fnmatchcase(_escaped(name), _escaped(line)) for line in lines for name in names):
            return reason
    return None


def lines() -> list[str]:
    """Every line of the table."""
    return [line for found in _BY_REASON.values() for line in found]


def _escaped(text: str) -> str:
    """With the first bracket, which begins the parameters, as one that `fnmatch` does not read."""
    return text.replace('[', '<', 1)
