"""What is remembered in markers: side effects, patches, and the seed of chance.

A live decision makes the value and records it; a replayed one reads it from the markers of that same decision. Markers
go out with the decision that made them, ahead of everything else, because the code has already used what they say.

Wire form (part of the contract with recorded histories): ``genflow.side_effect`` with ``{"n": …, "value": …}`` or,
where the function raised, ``{"n": …, "reason": …, "details": …}``; ``n`` counts from 1 through the execution.
``genflow.patch`` with ``{"id": …}``, and with ``"deprecated": true`` beside it where ``deprecate_patch`` recorded it,
``genflow.seed`` with ``{"seed": …}``. ``genflow.origin`` with ``{"what": …, "workflow_id": …, "run_id": …}`` has what
``info.first_run_id`` or ``info.root`` was found to be. ``genflow.attempts`` with
``{"marks": […]}`` names further attempts of failed calls that were decided on and dropped in the same decision, and
``genflow.held`` with ``{"marks": […]}`` attempts whose wait found no place among the timers that may be open, and
``genflow.later`` with ``{"marks": […]}`` attempts that may not have fitted into the response.
``genflow.restart`` with ``{"events": …}`` says that the restart of this decision is ``restart_when_suggested``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import UUID

from attrs import define, field

from genflow.core.engine.history import RecordedDecision
from genflow.core.errors import DefinitionError, HistoryError, PayloadTooLarge, TaskFailed
from genflow.core.model.decisions import RecordMarker
from genflow.core.model.events import MarkerRecorded, Refused
from genflow.core.model.info import ExecutionIds
from genflow.core.model.refusals import refused_engine
from genflow.core.model.wire_names import ORIGIN_MARKER, PATCH_MARKER, SEED_MARKER, SIDE_EFFECT_MARKER
from genflow.core.payloads.failures import decode_failure, encode_failure
from genflow.core.payloads.hooks import MAX_PAYLOAD, decode, encode, encode_value, same_payload
from genflow.core.payloads.wire_text import units
from genflow.core.payloads.writing import RESULT_WAY_OUT, too_large
from genflow.core.text import short

__all__ = ['Markers']

MAX_TOTAL = 900_000
"""Bytes of markers in one decision: a response has at most 1 MB (SWF's quota), and markers cannot wait."""

ESCAPED = 11
"""Further bytes of a character that a client writes as two escaped surrogates."""

MAX_CHANGE = 256
"""Characters of the id of a change."""

MAX_MARKERS = 90
"""Side effects in one decision, for the same reason: a response has at most 100 decisions."""


@define(eq=False)
class Markers:
    """The markers of one execution.

    Attributes:
        decision: The current decision.
        made: The markers that it made, in order.
    """

    _seed: str | None
    decision: RecordedDecision | None = field(default=None, init=False)
    made: list[RecordMarker] = field(factory=list, init=False)
    _seed_recorded: bool = field(default=False, init=False)
    _effects: int = field(default=0, init=False)
    _patches: dict[str, bool] = field(factory=dict, init=False)
    _origins: dict[str, ExecutionIds] = field(factory=dict, init=False)
    _random: Random | None = field(default=None, init=False)
    _uuids: Random | None = field(default=None, init=False)

    @staticmethod
    def check(output: Sequence[Any]) -> None:
        """Looks at what a decision recorded.

        Raises:
            HistoryError: SWF refused a marker of it, so what the code used is not on record.
        """
        for event in output:
            if type(event) is Refused and event.kind == 'marker':
                raise refused_engine(event)

    @property
    def _output(self) -> Sequence[Any]:
        return () if self.decision is None else self.decision.output or ()

    @property
    def _shown(self) -> list[MarkerRecorded]:
        return [event for event in self._output if type(event) is MarkerRecorded]

    @property
    def _live(self) -> bool:
        return self.decision is not None and self.decision.output is None

    # side effects

    def side_effect(
        self,
        function: Callable[[], Any],
        raises: tuple[type[BaseException], ...] = (),
        passing: tuple[type[BaseException], ...] = (KeyboardInterrupt,),
    ) -> tuple[bool, Any]:
        """Whether there is a value, and the value; there is none where the history does not show one.

        Args:
            function: Makes the value.
            raises: The exceptions that are raised as themselves from the record.
            passing: The exceptions that are not recorded, but leave the engine.
        """
        if len(self.made) >= MAX_MARKERS:
            raise PayloadTooLarge(
                f'SWF records at most 100 decisions at a time, and the code asks for more than {MAX_MARKERS} side '
                'effects without a yield between them: combine several into one side effect, or use an activity'
            )
        self._effects += 1
        if not self._live:
            return self._recorded_effect(raises)
        text = _written_effect(self._effects, function, passing)
        if units(text) > MAX_PAYLOAD or _size(text) + sum(_size(made.details or '') for made in self.made) > MAX_TOTAL:
            way_out = f'{RESULT_WAY_OUT}; all of one decision have {MAX_TOTAL:,} bytes at most'
            error = too_large(f'side effect {self._effects}', text, way_out)
            text = encode({'n': self._effects, **_failed(error)})
        self.made.append(RecordMarker(SIDE_EFFECT_MARKER, text))
        return True, _value(decode(text), raises)

    def _recorded_effect(self, raises: tuple[type[BaseException], ...]) -> tuple[bool, Any]:
        for event in self._shown:
            if event.name == SIDE_EFFECT_MARKER:
                envelope = _opened(event)
                if envelope.get('n') == self._effects:
                    self.made.append(RecordMarker(SIDE_EFFECT_MARKER, event.details))
                    return True, _value(envelope, raises)
        return False, None

    # patches

    def patched(self, change: str) -> bool:
        known = self._patches.get(checked_change(change))
        if known is not None:
            return known
        if self._live:
            self.made.append(_patch(change))
        else:
            shown = [
                event for event in self._shown if event.name == PATCH_MARKER and _opened(event).get('id') == change
            ]
            self.made += [RecordMarker(PATCH_MARKER, event.details) for event in shown[:1]]
        answer = self._patches[change] = self._live or bool(shown)
        return answer

    def deprecate_patch(self, change: str) -> None:
        """Records a marker that code without the call ignores, and accepts the one of code that says ``patched``."""
        if checked_change(change) in self._patches:
            return
        flagged = RecordMarker(PATCH_MARKER, encode({'id': change, 'deprecated': True}))
        shown = [marker for marker in (_patch(change), flagged) if self._live or self._shows(marker)]
        self.made += shown[-1:]
        self._patches[change] = bool(shown)

    def _shows(self, marker: RecordMarker) -> bool:
        return any(event.name == marker.name and same_payload(event.details, marker.details) for event in self._shown)

    # origin of the execution

    def known_origin(self, what: str) -> ExecutionIds | None:
        """The first run or the root, if the code has asked for it before."""
        return self._origins.get(what)

    def origin(self, what: str, look_up: Callable[[], ExecutionIds]) -> ExecutionIds | None:
        """The first run or the root; ``None`` where the history does not show it.

        Args:
            what: ``first_run_id`` or ``root``.
            look_up: Finds it.
        """
        if self._live:
            found = look_up()
            text = encode({'what': what, 'workflow_id': found.workflow_id, 'run_id': found.run_id})
        else:
            shown = next((event for event in self._shown if _tells_origin(event, what)), None)
            if shown is None:
                return None
            envelope, text = _opened(shown), shown.details or ''
            found = ExecutionIds(envelope['workflow_id'], envelope['run_id'])
        self.made.append(RecordMarker(ORIGIN_MARKER, text))
        self._origins[what] = found
        return found

    # random numbers

    @property
    def random(self) -> Random | None:
        """The user's stream of numbers; ``None`` where the history shows no seed."""
        if self._random is None and self._record_seed():
            self._random = Random(f'{self._seed}/random')
        return self._random

    def uuid4(self) -> UUID | None:
        """The next of the user's uuids; ``None`` where the history shows no seed."""
        if self._uuids is None and self._record_seed():
            self._uuids = Random(f'{self._seed}/uuid')
        return None if self._uuids is None else UUID(int=self._uuids.getrandbits(128), version=4)

    @property
    def streams_begun(self) -> list[Random]:
        """The user's streams of numbers and uuids, as far as they were used."""
        return [stream for stream in (self._random, self._uuids) if stream is not None]

    def jitter(self, attempt_id: str) -> Random:
        """The stream for the wait before one attempt. It is followed from the history and needs no record."""
        return Random(f'{self._seed}/jitter/{attempt_id}')

    def _record_seed(self) -> bool:
        if self._seed_recorded:
            return True
        if self._live:
            self.made.append(RecordMarker(SEED_MARKER, encode({'seed': self._seed})))
        else:
            shown = next((event for event in self._shown if event.name == SEED_MARKER), None)
            if shown is None:
                return False
            self._seed = _opened(shown).get('seed')
            self.made.append(RecordMarker(SEED_MARKER, shown.details))
        self._seed_recorded = True
        return True


def _patch(change: str) -> RecordMarker:
    return RecordMarker(PATCH_MARKER, encode({'id': change}))


def _tells_origin(event: MarkerRecorded, what: str) -> bool:
    if event.name != ORIGIN_MARKER:
        return False
    envelope = _opened(event)
    return envelope.get('what') == what and {'workflow_id', 'run_id'} <= envelope.keys()


def checked_change(change: Any) -> str:
    """The id of a change, which goes into a marker.

    Raises:
        DefinitionError: It is no text, or longer than 256 characters.
    """
    if not isinstance(change, str) or not 1 <= len(change) <= MAX_CHANGE:
        raise DefinitionError(f'the id of a change is {short(change)}; it must be text of 1 to {MAX_CHANGE} characters')
    return change


def _size(text: str) -> int:
    """Bytes of a JSON text inside of another one, which escapes its quotes and what is not ASCII."""
    beyond = 0 if text.isascii() else sum(character > '\x7f' for character in text)
    return len(text) + text.count('"') + text.count('\\') + ESCAPED * beyond


def _written_effect(number: int, function: Callable[[], Any], passing: tuple[type[BaseException], ...]) -> str:
    """The envelope of what calling a side effect gave; of its failure where JSON cannot hold that."""
    try:
        return encode_value({'n': number, 'value': function()})
    except passing:
        raise
    except BaseException as error:  # noqa: BLE001 - it is recorded, and raised from the record
        return encode({'n': number, **_failed(error)})


def _failed(error: BaseException) -> dict[str, Any]:
    reason, details = encode_failure(error, '')
    return {'reason': reason, 'details': details}


def _value(envelope: dict[str, Any], raises: tuple[type[BaseException], ...]) -> Any:
    """The recorded value, or the recorded failure raised: the same live and at replay."""
    if 'reason' not in envelope:
        return envelope['value']
    remote = decode_failure(envelope['reason'], envelope['details'])
    error = TaskFailed(remote.reason, remote.details)
    error.names = remote.names
    raise remote.rebuilt((*raises, PayloadTooLarge, DefinitionError)) or error


def _opened(event: MarkerRecorded) -> dict[str, Any]:
    try:
        envelope = decode(event.details or '')
    except ValueError as error:
        raise HistoryError(f'the marker {event.name} in event {event.id} is not JSON: {event.details!r}') from error
    if not isinstance(envelope, dict):
        raise HistoryError(f'the marker {event.name} in event {event.id} is not an envelope: {event.details!r}')
    return envelope
