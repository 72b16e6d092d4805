"""Among other customers: the community's forum and the social networks."""

from __future__ import annotations

from pipeline.simulator.clock import HOUR
from pipeline.simulator.diary import Diary


def community(diary: Diary, at: float) -> float:
    """Ask the others and be answered, or tell them something."""
    thread = diary.reference("F")
    if diary.chance(0.4):
        diary.write(at, "community.question", reference=thread, sentiment=diary.mood(-0.1))
        if diary.chance(0.6):
            at += diary.pause(HOUR, 40 * HOUR)
            diary.write(at, "community.solution_accepted", reference=thread, outcome="resolved")
        return at
    what = diary.pick("community.post", "community.reply", "community.reply", "community.idea")
    diary.write(at, what, reference=thread, sentiment=diary.mood(0.3))
    if diary.chance(0.03):
        diary.write(at + HOUR, "community.moderation", reference=thread)
    return at


def social(diary: Diary, at: float) -> float:
    """Say a word about us where everybody can read it."""
    what = diary.pick("social.mention", "social.comment", "social.share", "social.review", "social.ad_comment")
    diary.write(at, what, sentiment=diary.mood(0.3), attributes={"network": diary.pick("chirp", "photogram")})
    if diary.chance(0.1):
        diary.write(at + diary.pause(60, 600), "loyalty.referral", outcome="completed")
    return at
