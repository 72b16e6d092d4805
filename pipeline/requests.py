"""Requests in the log: what asks the agents, in order with the records, for more than a fold.

To take a rebuilt customer over, to forget one, or to look at one whom silence alone has brought to another level.

They travel in topic `touchpoints` under the customer's key, so that their turn is exact: whatever stands before a
`Begin` is in the rebuilt state, whatever stands after it is folded over that state; whatever stands before a `Forget`
is forgotten. A `Forget` goes on through `risk` and `alerts`, behind all that was said of the customer there. A value
that is a request starts with a byte that no framed Avro value starts with; it is no record, and nothing lands of it.
"""

from __future__ import annotations

import msgspec

from pipeline.model import Record

FIRST_BYTE = 1
_MARK = bytes([FIRST_BYTE]) + b"touchline\x01"


class Begin(msgspec.Struct, array_like=True, tag="begin", frozen=True):
    """From here on, keep this customer's touchpoints aside too. `requested_at` is UTC milliseconds.

    It means something within `epoch` of topic touchpoints only: where the log is read again under another one, what had
    been folded anew then is older than what is known now.
    """

    rebuild_id: str
    requested_at: int
    epoch: int


class Rows(msgspec.Struct, array_like=True, tag="rows", frozen=True):
    """Journeys that came out of the rebuild, live and taken back, to be published under the request's revision.

    `Rows` and `Finish` of one rebuild are written in one Kafka transaction: after the first comes the last.
    """

    rebuild_id: str
    journeys: list[Record]


class Finish(msgspec.Struct, array_like=True, tag="finish", frozen=True):
    """Take the rebuilt state over; empty: nothing is left of this customer. `now` is when risk is scored for."""

    rebuild_id: str
    state: bytes
    now: int


class Look(msgspec.Struct, array_like=True, tag="look", frozen=True):
    """Score the customer for `now`, UTC milliseconds, unless anything has changed since `revision`."""

    revision: int
    now: int


class Forget(msgspec.Struct, array_like=True, tag="forget", frozen=True):
    """Forget this customer: drop the state, and let nothing that stands before this count again.

    `hashed` is the keyed hash of the key (`pipeline.forgotten`), `requested_at` UTC milliseconds; `refuse` says whether
    later touchpoints are refused, else they are those of a new customer.
    """

    forget_id: str
    requested_at: int
    hashed: bytes
    refuse: bool


class Forgotten(msgspec.Struct, array_like=True, tag="forgotten", frozen=True):
    """ClickHouse holds nothing of the customer any more either: from here on a rebuild may begin again."""

    forget_id: str
    hashed: bytes


Request = Begin | Rows | Finish | Forget | Forgotten | Look

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Request)


def dump(request: Request) -> bytes:
    """The request as a Kafka value."""
    return _MARK + _encoder.encode(request)


def is_request(value: bytes | None) -> bool:
    """Whether a Kafka value is a request, and so no touchpoint."""
    return value is not None and value.startswith(_MARK)


def load(value: bytes) -> Request:
    """The request in a value. Raises ValueError for bytes that `dump` did not write."""
    try:
        request: Request = _decoder.decode(value[len(_MARK) :])
    except msgspec.MsgspecError as error:
        raise ValueError(f"the request cannot be read: {error}") from error
    return request
