"""Stories in one line: what happens, one decision after each."""

from __future__ import annotations

from .story import Story


def played(run, *happenings, **given):
    """The story after its first decision and one decision after each happening."""
    story = Story(run, **given)
    story.decide()
    for happening in happenings:
        happening(story)
        story.decide()
    return story


def done(number, value=None):
    return lambda story: story.completed(number, value)


def failed(number, reason='broken'):
    return lambda story: story.failed(number, reason=reason)
