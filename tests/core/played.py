"""Stories in one line: what happens, one decision after each."""

from __future__ import annotations

from genflow import TaskFailed

from .story import Story


def played(run, *happenings, **given):
    """The story after its first decision and one decision after each happening."""
    story = Story(run, **given)
    story.decide()
    for happening in happenings:
        happening(story)
        story.decide()
    return story


def catching(call):
    """A workflow that waits for one call, and returns what the failure of it was, or ``'done'``."""

    def run(self):
        try:
            yield call(self)
        except TaskFailed as error:
            return [type(error).__name__, error.reason]
        return 'done'

    return run


def done(number, value=None):
    return lambda story: story.completed(number, value)


def failed(number, reason='broken'):
    return lambda story: story.failed(number, reason=reason)
