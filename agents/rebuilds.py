"""One customer's turn in a chunk that requests have a part in: touchpoints and requests, in the order of the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from pipeline.customer import Folded, Rules, Touch, fold, look, revision_of
from pipeline.forgotten import Marker
from pipeline.model import Record
from pipeline.rebuilding import Hold, is_empty, load_state, take_over
from pipeline.requests import Begin, Finish, Forget, Forgotten, Look, Request, Rows
from pipeline.state import State

TouchOf = Callable[[int, bytes], Touch]


class Turn:
    """Folds a customer's touchpoints and does what requests ask for.

    Afterwards `state`, `hold` and `marker` are what is to be remembered, `folds` what was published, `journeys` the
    rows that the rebuild brought, `refused` the offsets of touchpoints of somebody who is to stay forgotten.
    `forgot` is the request by which the customer was forgotten in this turn: the rest is of a new one.
    """

    def __init__(  # noqa: PLR0913 (what a turn depends on, each once)
        self,
        customer_id: str,
        state: State | None,
        hold: Hold | None,
        marker: Marker | None = None,
        *,
        epoch: int,
        rules: Rules,
        touch_of: TouchOf,
    ) -> None:
        self.customer_id = customer_id
        self.state = state
        self.hold = hold if hold is not None and hold.epoch == epoch else None
        self.marker = marker
        self.forgot: Forget | None = None
        self.refused: list[int] = []
        self.folds: list[Folded] = []
        self.journeys: list[Record] = []
        self._epoch = epoch
        self._rules = rules
        self._touch_of = touch_of

    def touches(self, touches: Sequence[tuple[Touch, bytes]]) -> None:
        """Fold touchpoints, given with their values as they came; while a rebuild is under way they are kept too."""
        touches = self._counting(touches)
        if not touches:
            return
        if (hold := self.hold) is not None:
            hold.touches.extend((touch.offset, value) for touch, value in touches)
            if not hold.keeps(touches[-1][0].record["received_at"]):
                self.hold = None
        made = [touch for touch, _ in touches]
        folded = fold(self.customer_id, self.state, self._epoch, made, self._rules, forgetting=self.hold is None)
        if folded is not None:
            closing = self.hold is not None and self.hold.closing
            self.folds.append(folded._replace(journeys=[]) if closing else folded)  # the rebuild's rows stand
            self.state = folded.state

    def request(self, offset: int, request: Request) -> None:
        """Do what is asked for; what belongs to a rebuild that is not under way any more is passed over."""
        match request:
            case Forget():
                self._forget(offset, request)
            case Forgotten() if self.marker is not None:
                self.marker = replace(self.marker, is_open=False)
            case Begin() if request.epoch == self._epoch and not self._is_gone():
                self.hold = Hold.begin(request, self._epoch, offset, self.state)
            case Rows() if self._is_under_way(request):
                assert self.hold is not None  # noqa: S101 (asked before)
                self.hold.close(self.state)
                revision = revision_of(self._epoch, offset)
                self.journeys += [{**row, "revision": revision} for row in request.journeys]
            case Finish() if self._is_under_way(request):
                self._finish(offset, request)
            case Look() if self.hold is None and self.state is not None:
                self._look(offset, request, self.state)
            case _:
                pass

    def _counting(self, touches: Sequence[tuple[Touch, bytes]]) -> Sequence[tuple[Touch, bytes]]:
        """Those that a forgotten customer may have."""
        if self.marker is None:
            return touches
        verdicts = [self.marker.verdict(self._epoch, touch.offset) for touch, _ in touches]
        pairs = list(zip(touches, verdicts, strict=True))
        self.refused += [pair[0].offset for pair, verdict in pairs if verdict == "refused"]
        return [pair for pair, verdict in pairs if verdict is None]

    def _forget(self, offset: int, request: Forget) -> None:
        """Leave nothing of the customer; a request read again, older than what is remembered, changes nothing."""
        known = self.marker
        if known is not None and (known.epoch, known.offset) > (self._epoch, offset):
            return
        refuse = request.refuse or (known is not None and known.refuse)
        self.marker = Marker(self._epoch, offset, refuse, is_open=True)
        self.state = self.hold = None
        self.folds.clear()
        self.journeys.clear()
        self.forgot = request

    def _is_gone(self) -> bool:
        """Whether there is nobody to rebuild, or ClickHouse may still have rows of somebody who is forgotten."""
        return self.marker is not None and (self.marker.is_open or self.state is None)

    def _is_under_way(self, request: Rows | Finish) -> bool:
        return self.hold is not None and self.hold.rebuild_id == request.rebuild_id

    def _look(self, offset: int, request: Look, state: State) -> None:
        if revision_of(state.epoch, state.offset) == request.revision:
            changed = look(self.customer_id, state, (self._epoch, offset), request.now, self._rules)
            if changed is not None:
                self.folds.append(changed)

    def _finish(self, offset: int, request: Finish) -> None:
        assert self.hold is not None  # noqa: S101 (asked before)
        rebuilt = load_state(request.state)
        held = [self._touch_of(*held) for held in self.hold.touches]
        taken = take_over(
            self.customer_id,
            self.state,
            rebuilt,
            self.hold,
            held=held,
            position=(self._epoch, offset),
            now=request.now,
            rules=self._rules,
        )
        self.folds.append(taken)
        self.state = None if is_empty(taken.state) else taken.state
        self.hold = None
