"""The sections of a report, in the order in which they are read. One file each."""

from __future__ import annotations

from pipeline.report.asking import Answers
from pipeline.report.section import Section
from pipeline.report.sections import at_risk, channels, feelings, handoffs, journey, moments, risk, stages, usage, voice


def sections(answers: Answers) -> list[Section]:
    """Every section of the answers."""
    return [
        risk.section(answers),
        at_risk.section(answers),
        journey.section(answers),
        stages.section(answers),
        handoffs.section(answers),
        feelings.section(answers),
        moments.section(answers),
        voice.section(answers),
        channels.section(answers),
        usage.section(answers),
    ]
