"""What a channel mapping adds to an event: CPU from a webhook's bytes to a touchpoint's fields, parsing included."""

from __future__ import annotations

import timeit
from time import process_time

from pipeline.channels.applied import apply
from pipeline.channels.compiled import Source
from pipeline.channels.fixture import Fixture
from pipeline.channels.signatures import Verifier
from tests.bench.report import median, tell
from tests.channels.known import all_examples, examples, now, sources
from tests.channels.signing import signer

CALLS = 300
ROUNDS = 7


async def run() -> None:
    """Every example of every source, and each source's signature."""
    costs = [_cost(sources()[name], example) for name, example in all_examples() if example.gives]
    tell(
        "channel mappings, us CPU per touchpoint",
        examples=len(costs),
        median=median(costs),
        most=max(costs),
        sources=len(sources()),
    )
    checks = [_check(name) for name, source in sources().items() if source.mapping.signature.scheme != "write_key"]
    tell("webhook signatures, us CPU per request", median=median(checks), most=max(checks))


def _cost(source: Source, example: Fixture) -> float:
    request = example.incoming()
    times = timeit.repeat(lambda: apply(source, request), timer=process_time, number=CALLS, repeat=ROUNDS)
    return median(times) / CALLS / len(example.gives) * 1e6


def _check(name: str) -> float:
    scheme = sources()[name].mapping.signature
    vendor = signer(scheme)
    request = vendor.sign(examples(name)[0].incoming(), now())
    verifier, moment = Verifier(scheme, [vendor.secret]), now()
    times = timeit.repeat(lambda: verifier.check(request, moment), timer=process_time, number=CALLS, repeat=ROUNDS)
    return median(times) / CALLS * 1e6
