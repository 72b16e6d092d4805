"""ClickHouse's error numbers, sorted by whose fault they are when a block is inserted.

The split decides between cutting poison out of a block and trying the same block again, so only numbers that
can mean nothing but "these bytes" are held against the data. Every other number, the unknown ones too, is the
server's state: nothing is dropped because of it. Two causes look alike from outside and are left on the
server's side: a body whose length field asks for more memory than there is (241), and a nameless exception
(1001, 1002) that is not the Avro library's.
"""

from __future__ import annotations

MEMORY_LIMIT = 241

REFUSED = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        69,  # ARGUMENT_OUT_OF_BOUND
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        131,  # TOO_LARGE_STRING_SIZE
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        376,  # CANNOT_PARSE_UUID
        748,  # AVRO_EXCEPTION
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO: the block does not line up
    }
)

UNAVAILABLE = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE: the connection broke inside the body
        159,  # TIMEOUT_EXCEEDED
        160,  # TOO_SLOW
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED
        MEMORY_LIMIT,
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        254,  # REPLICA_IS_ALREADY_ACTIVE
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        439,  # CANNOT_SCHEDULE_TASK
        735,  # QUERY_WAS_CANCELLED_BY_CLIENT
        745,  # SERVER_OVERLOADED
        999,  # KEEPER_EXCEPTION
    }
)

_NAMELESS = frozenset({1001, 1002})  # STD_EXCEPTION, UNKNOWN_EXCEPTION: only their words say what they are
_WORDS_OF_REFUSAL = ("avro::Exception", "codec can't decode byte")
"""The Avro library's own errors, and the local engine's when its message quotes bytes that are no text."""


def is_refusal(code: int, text: str) -> bool:
    """Tell whether an insert failed because of the bytes it brought."""
    return code in REFUSED or (code in _NAMELESS and any(words in text for words in _WORDS_OF_REFUSAL))
