"""Learning a model's rates and weights from a company's own history. Pure; needs numpy (the extra `fit`).

Three steps:

- `rates` finds the population's rates of pipeline.rhythm by greatest likelihood from calendars alone, without labels.
- `chosen` says whether these, the ones given or the middle ranked better who came and who did not, earlier.
- `weights` finds what each kind of signal counts from who left and who stayed: logistic regression with a Gaussian
  prior around the weights it starts from (a kind seen never keeps its weight), signs and the order of gravity held, so
  that a fitted model keeps what the properties promise; then a calibration (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import lgamma
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pipeline.backtest import Example
from pipeline.measures import roc_auc
from pipeline.rhythm import DAY, Population, decline, silence
from pipeline.risk import Terms, logit_of, points_of, stuck_term, terms
from pipeline.risk_model import Calibration, Compiled, Levels, Model, Rates, logit
from pipeline.signals import DERIVED, GOOD, RANKED, Kind
from pipeline.state import Profile

Floats = NDArray[np.float64]
LEAST_OF_EACH = 30
"""Customers who left, and who stayed, below which weights are not learned."""
_HOLD_BACK = {
    Kind.REPEATED: (Kind.NEGATIVE_MOOD,),
    Kind.RATING_FELL: (Kind.GOOD_RATING, Kind.HIGH_EFFORT),
    Kind.MOOD_FELL: (Kind.GOOD_MOOD, Kind.NEGATIVE_MOOD),
}
"""What each derived kind never outweighs: a good answer must not raise a score by what falls from it later, nor a bad
one lower it by what no longer falls (see pipeline.derived)."""
_FACTORS = ("silence", "habit", "decline", "stuck")
_SPREAD = 0.7
"""Width of the prior around a weight, as a share of it."""


def rates(profiles: Sequence[Profile], now: int, start: Rates) -> Rates:
    """The population's rates by greatest likelihood (MBG/NBD), from the calendars at a moment; `start` without any."""
    seen = [_calendar(profile, now) for profile in profiles if profile.first_inbound_at is not None]
    if not seen:
        return start
    x, t, observed = np.array(seen, dtype=float).T
    known = np.log([start.r, start.alpha_days, start.a, start.b])
    table = np.arange(int(x.max()) + 1)

    def loss(logs: Floats) -> float:
        wild = float(np.sum(np.maximum(np.abs(logs - known) - 5, 0) ** 2))  # no data, no rate: stay within reason
        return wild + 1e-6 * float(np.sum((logs - known) ** 2)) - _likelihood(np.exp(logs), x, t, observed, table)

    r, alpha, a, b = (float(f"{value:.4g}") for value in np.exp(_least(loss, known)))
    return Rates(r, alpha, a, b, start.horizon_days)


def chosen(examples: Sequence[Example], now: int, start: Rates, found: Rates) -> Rates:
    """Of the rates given, those found and the middle between them, the ones whose silence ranks who left best.

    Rates of greatest likelihood are not always those that foretell best: no model's processes are quite the customers'.
    With fewer than LEAST_OF_EACH who left, or who stayed, it is the middle.
    """
    r, alpha, a, b = (
        float(f"{(one * other) ** 0.5:.4g}") for one, other in zip(_four(start), _four(found), strict=True)
    )
    middle = Rates(r, alpha, a, b, start.horizon_days)
    left = [each.left for each in examples]
    if min(sum(left), len(left) - sum(left)) < LEAST_OF_EACH:
        return middle

    def ranks(rates: Rates) -> float:
        population = Population(*_four(rates), rates.horizon_days)
        return roc_auc([silence(each.profile, now, population) for each in examples], left) or 0.0

    return max((middle, start, found), key=ranks)


def _four(rates: Rates) -> tuple[float, float, float, float]:
    return rates.r, rates.alpha_days, rates.a, rates.b


def _calendar(profile: Profile, now: int) -> tuple[int, float, float]:
    """Days of activity after the first, the last of them and the moment, in days after the first."""
    days = int.from_bytes(profile.days, "little")
    first = max(profile.first_inbound_at or 0, (profile.day - days.bit_length() + 1) * DAY)
    observed = max(now - first, 0) / DAY
    last = min(max((profile.last_inbound_at or first) - first, 0) / DAY, observed)
    return days.bit_count() - 1, last, observed


def _likelihood(rates: Floats, x: Floats, t: Floats, observed: Floats, table: NDArray[Any]) -> float:
    """The mean logarithm of the likelihood of what was seen, by the density of the MBG/NBD model."""
    r, alpha, a, b = (float(value) for value in rates)
    gammas = np.array([lgamma(r + k) - lgamma(r) + _beta(a, b + k + 1) - _beta(a, b) for k in table])
    until = np.log(alpha + observed)
    odds = np.log(a / (b + x)) + (r + x) * (until - np.log(alpha + t))
    return float(np.mean(gammas[x.astype(int)] + r * np.log(alpha) - (r + x) * until + np.logaddexp(0.0, odds)))


def _beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _least(loss: Callable[[Floats], float], start: Floats, rounds: int = 600) -> Floats:
    """Where the loss is least, by the simplex of Nelder and Mead (1965)."""
    points = [start, *(start + 0.5 * step for step in np.eye(len(start)))]
    simplex = sorted(((loss(point), place, point) for place, point in enumerate(points)), key=lambda each: each[:2])
    for count in range(len(simplex), len(simplex) + rounds):
        worst, centre = simplex[-1], np.mean([point for *_, point in simplex[:-1]], axis=0)
        if worst[0] - simplex[0][0] < 1e-9:
            break

        def along(share: float, worst: Any = worst, centre: Floats = centre, count: int = count) -> Any:
            point = centre + share * (worst[2] - centre)
            return loss(point), count, point

        tried = along(-1.0)
        if tried[0] < simplex[0][0]:
            tried = min(tried, along(-2.0), key=lambda each: each[0])
        elif tried[0] >= simplex[-2][0]:
            tried = min(along(-0.5), along(0.5), key=lambda each: each[0])
        if tried[0] < worst[0]:
            simplex[-1] = tried
        else:
            best = simplex[0][2]
            simplex = [(loss(p), place, p) for place, p in ((n, (best + q) / 2) for _, n, q in simplex)]
        simplex.sort(key=lambda each: each[:2])
    return np.asarray(simplex[0][2])


def weights(examples: Sequence[Example], now: int, start: Model) -> Model:
    """The start with what can be learned of who left: weights and calibration, or either of the two, or nothing.

    Each is taken only where it foretells better (log loss) what was left out of it, in fifths by customer; so a fit on
    little does no harm.
    """
    left = np.array([each.left for each in examples])
    if min(left.sum(), (~left).sum()) < LEAST_OF_EACH:
        return start
    folds = np.arange(len(examples)) % 5
    features = _features(examples, now, start.compile())

    def held_out(learn: Callable[[NDArray[np.bool_]], Model]) -> float:
        losses = np.zeros(len(examples))
        for fold in range(5):
            model = learn(folds != fold).compile()
            out = np.flatnonzero(folds == fold)
            logits = np.array([logit_of(terms(examples[int(n)].profile, now, model), model) for n in out])
            losses[out] = np.logaddexp(0.0, np.where(left[out], -logits, logits))
        return float(losses.mean())

    def calibrated(among: NDArray[np.bool_], model: Model = start) -> Model:
        return _calibrate(model, examples, left, among, now)

    def learned(among: NDArray[np.bool_]) -> Model:
        return calibrated(among, _weigh(start, features[among], left[among]))

    ways: list[Callable[[NDArray[np.bool_]], Model]] = [lambda _: start, calibrated, learned]
    made = min(ways, key=held_out)(np.ones(len(examples), dtype=bool))
    return made if made is start else replace(made, levels=_levels(start, float(left.mean())))


def _levels(start: Model, share: float) -> Levels:
    """The levels where the odds of leaving are as many times the average's as before those of somebody unknown.

    So a level stays as rare, and as grave, whether two in a hundred leave or seventy.
    """
    compiled = start.compile()
    shift = logit(share) - logit_of(Terms(0.0, 0.0, 0.0, 0.0, 0.0), compiled)
    medium, high, critical = (round(points_of(logit(bound / 100) + shift), 2) for bound in compiled.levels)
    return replace(start.levels, medium=medium, high=high, critical=critical)


def _features(examples: Sequence[Example], now: int, model: Compiled) -> Floats:
    """What each weight multiplies, by customer: a column for each kind of RANKED, for _FACTORS, and for the rest."""
    rows = []
    place = {int(kind): n for n, kind in enumerate(RANKED)}
    most = model.silence[1]
    full = model._replace(stuck=(1.0, model.stuck[1]))
    for each in examples:
        row = [0.0] * (len(RANKED) + len(_FACTORS) + 1)
        for moment, kind, _, _ in each.profile.signals:
            amount = float(np.exp(-model.weights[kind][1] * max(now - moment, 0)))
            if kind in place:
                row[place[kind]] += amount
            else:
                row[-1] += model.slope * model.weights[kind][0] * amount
        beyond = silence(each.profile, now, model.population) - model.newcomer
        row[-5:-1] = [
            min(max(beyond, 0.0), most),
            min(beyond, 0.0),
            decline(each.profile, now),
            stuck_term(each.profile, now, full),
        ]
        rows.append(row)
    return np.array(rows)


def _weigh(start: Model, features: Floats, left: NDArray[np.bool_]) -> Model:
    """The weights that are most likely after what was seen, by Newton's method, clipped to their side of zero."""
    slope = start.compile().slope
    signs = np.array([-1.0 if kind >= GOOD else 1.0 for kind in RANKED] + [1.0] * len(_FACTORS))
    known = np.array(
        [start.signals[kind.name].weight * slope for kind in RANKED] + [_factor(start, n) for n in _FACTORS]
    )
    design = np.hstack([features[:, :-1], np.ones((len(features), 1))])
    prior = np.append(known, 0.0)
    precision = np.append(1.0 / np.maximum(_SPREAD * np.abs(known), 0.15) ** 2, 1e-4)
    found = np.append(known, start.compile().intercept)
    prior[-1] = found[-1]
    found = _likeliest(
        design, features[:, -1], left, prior=prior, precision=precision, signs=np.append(signs, 0.0), found=found
    )
    return _with_weights(start, found[:-1], slope)


def _likeliest(  # noqa: PLR0913 (a regression's parts, each once)
    design: Floats,
    offset: Floats,
    left: NDArray[np.bool_],
    *,
    prior: Floats,
    precision: Floats,
    signs: Floats,
    found: Floats,
) -> Floats:
    """Coefficients of greatest posterior probability by Newton's method, a step halved until it helps.

    A coefficient stays on the side of zero that its sign says; 0: either side.
    """

    def loss(at: Floats) -> float:
        logits = design @ at + offset
        distance = float(np.sum(precision * (at - prior) ** 2)) / 2
        return float(np.sum(np.logaddexp(0.0, np.where(left, -logits, logits)))) + distance

    def sided(at: Floats) -> Floats:
        return np.where(signs == 0, at, signs * np.maximum(signs * at, 0.0))

    best = loss(found)
    for _ in range(100):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ found + offset, -30, 30)))
        gradient = design.T @ (left - chance) - precision * (found - prior)
        held = (signs != 0) & (found == 0) & (gradient * signs <= 0)
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(precision)
        curve[held], curve[:, held], gradient[held] = 0.0, 0.0, 0.0
        curve[held, held] = 1.0
        step, share = np.linalg.solve(curve, gradient), 1.0
        while loss(tried := sided(found + share * step)) >= best and share > 1e-6:
            share /= 2
        if (after := loss(tried)) >= best - 1e-9:
            break
        found, best = tried, after
    return found


def _factor(model: Model, name: str) -> float:
    factors = {
        "silence": model.silence.weight,
        "habit": model.silence.habit,
        "decline": model.decline.weight,
        "stuck": model.stuck.weight,
    }
    return factors[name]


def _with_weights(start: Model, found: Floats, slope: float) -> Model:
    by_kind = dict(zip(RANKED, found / slope, strict=False))
    for side in ([kind for kind in RANKED if kind < GOOD], [kind for kind in RANKED if kind >= GOOD]):
        for kind, weight in zip(side, _falling([abs(by_kind[kind]) for kind in side]), strict=True):
            by_kind[kind] = -weight if kind >= GOOD else weight
    signals = dict(start.signals)
    for kind in RANKED:
        signals[kind.name] = replace(signals[kind.name], weight=round(float(by_kind[kind]), 4) + 0.0)
    for kind in DERIVED:
        most = min(abs(by_kind[other]) for other in _HOLD_BACK[kind])
        signals[kind.name] = replace(signals[kind.name], weight=round(min(signals[kind.name].weight, most), 4))
    weight, habit, declined, stuck = (round(float(value), 4) for value in found[-4:])
    return replace(
        start,
        signals=signals,
        silence=replace(start.silence, weight=weight, habit=habit),
        decline=replace(start.decline, weight=declined),
        stuck=replace(start.stuck, weight=stuck),
    )


def _falling(values: Sequence[float]) -> list[float]:
    """The nearest numbers that never rise (pool adjacent violators): what is graver must not count less."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            (mean, count), (other, more) = pools[-2:]
            pools[-2:] = [((mean * count + other * more) / (count + more), count + more)]
    return [mean for mean, count in pools for _ in range(count)]


def _calibrate(
    start: Model, examples: Sequence[Example], left: NDArray[np.bool_], among: NDArray[np.bool_], now: int
) -> Model:
    """Offset and factor by which the logits become probabilities; the factor stays above zero, so the ranking stays."""
    plain = replace(start, calibration=Calibration()).compile()
    chosen = np.flatnonzero(among)
    logits = np.array([logit_of(terms(examples[int(n)].profile, now, plain), plain) for n in chosen])
    design, prior = np.column_stack([np.ones(len(logits)), logits]), np.array([0.0, 1.0])
    nothing, width = np.zeros(len(logits)), np.array([1e-6, 1.0])
    found = _likeliest(
        design, nothing, left[chosen], prior=prior, precision=width, signs=np.zeros(2), found=prior.copy()
    )
    found[1] = max(found[1], 0.05)
    offset, factor = (round(float(value), 4) for value in found)
    return replace(start, calibration=Calibration(max(-50.0, min(offset, 50.0)), factor))
