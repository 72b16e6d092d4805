"""What a mapping gives as `text` is never kept; it leaves a mood where that is wanted."""

from __future__ import annotations

import json

from pipeline.channels import mapping
from pipeline.channels.applied import apply
from pipeline.channels.compiled import compile_mapping
from pipeline.channels.envelope import Incoming
from pipeline.channels.functions import Functions
from pipeline.channels.touchpoints import accepted
from pipeline.sentiment import SOURCE

MAPPING = """
title = "Reviews"
about = "Reviews"
documentation = "https://reviews.example"
[signature]
scheme = "token"
[[touchpoints]]
channel = "social"
touchpoint = "review"
customer_id = "body.who"
occurred_at = "body.at"
text = "body.says"
"""
NOW = 1_772_366_400_000


def test_text_leaves_a_mood_if_it_is_wanted_and_nothing_else() -> None:
    source = compile_mapping("reviews", mapping.read(MAPPING, "reviews.toml"), Functions())
    body = {"who": "ada", "at": "2026-03-01T12:00:00Z", "says": "The delivery was terrible and the support was awful"}
    [mapped] = apply(source, Incoming(json.dumps(body).encode())).touchpoints
    silent, felt = accepted(source, mapped, NOW), accepted(source, mapped, NOW, derive_sentiment=True)
    assert isinstance(silent, dict)
    assert isinstance(felt, dict)
    assert silent["sentiment"] is None
    assert felt["sentiment"] < 0
    assert felt["attributes"] == {"sentiment_source": SOURCE}
    assert "terrible" not in repr(silent) + repr(felt)
