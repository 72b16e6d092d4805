"""What the commands share."""

from __future__ import annotations

import io

from pipeline.cli.common import write_all


class Narrow(io.RawIOBase):
    """A pipe that takes a few bytes at a time, as a bare one may."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        self.taken += bytes(data[:3])
        return min(3, len(data))


def test_all_is_written_to_a_pipe_that_takes_a_part_at_a_time() -> None:
    out = Narrow()
    write_all(out, b"0123456789")  # type: ignore[arg-type]
    assert out.taken == b"0123456789"
