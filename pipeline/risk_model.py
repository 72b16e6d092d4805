"""A version of the risk model: plain numbers and words, read from JSON, and the form of them that scoring reads. Pure.

`models/schema.json` describes the file. A model is data, never code: reading one runs nothing.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, NamedTuple

import msgspec

from pipeline.model import ContractError
from pipeline.rhythm import DAY, Population, newcomer
from pipeline.signals import DERIVED, GOOD, Kind

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e3)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Points = Annotated[float, msgspec.Meta(gt=0, lt=100)]
Text = Annotated[str, msgspec.Meta(max_length=200)]


class Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of signal counts, in bad experiences (below zero: recovery), and how fast it fades."""

    weight: Annotated[float, msgspec.Meta(ge=-1e3, le=1e3)]
    half_life_days: Positive
    text: Text
    action: Text


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The population's rates, in days, by the models of pipeline.rhythm; `horizon_days` is how far ahead they look."""

    r: Positive
    alpha_days: Positive
    a: Positive
    b: Positive
    horizon_days: Positive


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What silence beyond a newcomer's adds to the logit, at the most `most`; `habit`: what less of it takes away."""

    weight: NotNegative
    most: NotNegative
    habit: NotNegative
    action: Text


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What something that is no single touchpoint adds to the logit where it is at its worst."""

    weight: NotNegative
    action: Text


class Stuck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an onboarding that does not go on adds to the logit, in full after so many days."""

    weight: NotNegative
    days: Positive
    action: Text


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last step to a probability (Platt 1999): logit = offset + factor * logit."""

    offset: Annotated[float, msgspec.Meta(ge=-50, le=50)] = 0.0
    factor: Positive = 1.0


class Levels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The score from which on a level holds; a risk is lasting if it is one still after so many days of nothing."""

    medium: Points
    high: Points
    critical: Points
    lasting_days: NotNegative = 3.0


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the risk model; see pipeline.risk for the meaning of its numbers."""

    version: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    first_experience: Share
    third_experience: Share
    max_bad: Positive
    max_recovery: NotNegative
    population: Rates
    silence: Silence
    decline: Factor
    stuck: Stuck
    levels: Levels
    signals: dict[str, Weight]
    calibration: Calibration = Calibration()

    def compile(self) -> Compiled:
        """The same model in the form that scoring reads. Raises ContractError naming what cannot be."""
        _check(self)
        slope = (logit(self.third_experience) - logit(self.first_experience)) / 2
        rates = self.population
        population = Population(rates.r, rates.alpha_days, rates.a, rates.b, rates.horizon_days)
        return Compiled(
            model=self,
            intercept=logit(self.first_experience) - slope,
            slope=slope,
            weights=tuple(self._number(kind) for kind in range(max(Kind) + 1)),
            levels=(self.levels.medium, self.levels.high, self.levels.critical),
            lasting=round(self.levels.lasting_days * DAY),
            max_bad=self.max_bad,
            max_recovery=self.max_recovery,
            population=population,
            newcomer=newcomer(population),
            silence=(self.silence.weight, self.silence.most, self.silence.habit),
            decline=self.decline.weight,
            stuck=(self.stuck.weight, self.stuck.days * DAY),
            calibration=(self.calibration.offset, self.calibration.factor),
            words={int(kind): (kind.name.lower(), self.signals[kind.name].text) for kind in Kind},
        )

    def _number(self, kind: int) -> tuple[float, float]:
        weight = self.signals[Kind(kind).name] if kind in Kind.__members__.values() else None
        return (weight.weight, math.log(2) / (weight.half_life_days * DAY)) if weight else (0.0, 0.0)


class Compiled(NamedTuple):
    """A model ready to score: `weights` gives weight and decay per millisecond by kind; times are milliseconds."""

    model: Model
    intercept: float
    slope: float
    weights: tuple[tuple[float, float], ...]
    levels: tuple[float, float, float]
    lasting: int
    max_bad: float
    max_recovery: float
    population: Population
    newcomer: float
    silence: tuple[float, float, float]
    decline: float
    stuck: tuple[float, float]
    calibration: tuple[float, float]
    words: dict[int, tuple[str, str]]


def _check(model: Model) -> None:
    """What types alone cannot say. Raises ContractError."""
    if model.first_experience >= model.third_experience:
        raise ContractError("third_experience", "third_experience must be above first_experience")
    if not model.levels.medium < model.levels.high < model.levels.critical:
        raise ContractError("levels", "levels must rise: medium, high, critical")
    if wrong := {kind.name for kind in Kind} ^ set(model.signals):
        raise ContractError("signals", f"signals must be those of the schema; missing or unknown: {sorted(wrong)[0]}")
    for kind in Kind:
        if (model.signals[kind.name].weight < 0) != (kind >= GOOD) and model.signals[kind.name].weight:
            side = "at most" if kind >= GOOD else "at least"
            raise ContractError(f"signals.{kind.name}.weight", f"signals.{kind.name}.weight must be {side} 0")


def decode(data: bytes) -> Model:
    """A model from its file. Raises ContractError that names the field and what it must be."""
    try:
        model = msgspec.json.decode(data, type=Model)
        model.compile()
    except msgspec.MsgspecError as error:
        message = str(error)
        raise ContractError(message.rpartition("$.")[2].rstrip("`") or "model", f"risk model: {message}") from error
    return model


def encode(model: Model) -> bytes:
    """The file of a model, for people to read, too."""
    return msgspec.json.format(msgspec.json.encode(model), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON schema of a model's file."""
    return msgspec.json.schema(Model)


@cache
def default_model() -> Compiled:
    """The model shipped with this version; it needs no training."""
    return decode((files("pipeline") / "models" / "default.json").read_bytes()).compile()


def logit(probability: float) -> float:
    """The logarithm of the odds."""
    return math.log(probability / (1 - probability))


LEARNED = tuple(kind for kind in Kind if kind not in DERIVED)
"""Kinds whose weight a fit may change. Those derived are held back by the weights of what they derive from."""
