"""Do the report's intervals hold what they promise? Classes with known parameters.

    python -m tests.bench.recovery            # writes the table in docs/report.md
    python -m tests.bench.recovery --seeds 40 # a quick look, written nowhere
    python -m tests.bench.recovery --keep DIR # goes on where it was stopped

Each class is drawn from a model, played through the real rules, and reported; each 95%
interval either holds its estimand or does not. The estimands are computed from the
model: in closed form, or from 400,000 simulated answers a case. Classes that play few
cases play others each time (eight sets in turn): what is asked of an interval of one
case is to hold for cases as they come, not at one chosen share. They are drawn five
times as often.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import NormalDist

import numpy as np
from scipy import optimize, stats

from server.game.intervals import wilson
from server.protocol.report_types import Estimate, Figure, Report
from server.report.figures import mean_of
from server.report.items import difficulties
from server.report.report import build_report
from tests.support.simulated_class import ClassModel, simulate

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "report.md"
BEGIN, END = "<!-- recovery: begin -->", "<!-- recovery: end -->"
SEEDS = 400
MORE = 5
"""Factor on the seeds for classes that play other cases each time."""
DRAWS = 400_000
Z = NormalDist()

SHIFTS = (0.6, -0.5, 0.3, -0.2, 0.0, 0.4, -0.7, 0.1)
STRENGTHS = (1.3, 0.6, 1.0, 0.8, 1.5, 0.9, 0.4, 1.5)
SPREAD = {"d_spread": 0.6, "lean_spread": 0.5}
ITEMS = {"shifts": SHIFTS, "strengths": STRENGTHS}
PLAYED = {"revote": (0.5, 0.1), "transfer_d": 2.0, "teams": ("A", "B")}

MODELS: dict[str, ClassModel] = {
    "30 × 16, alike": ClassModel(**PLAYED),
    "leaning outer": ClassModel(d_prime=1.5, criterion=-0.6, **PLAYED),
    "overconfident": ClassModel(d_prime=0.8, boldness=2.5, **PLAYED),
    "learners differ": ClassModel(**SPREAD, **PLAYED),
    "cases differ": ClassModel(**ITEMS, **PLAYED),
    "both differ": ClassModel(**SPREAD, **ITEMS, misses=0.15, **PLAYED),
    "expert": ClassModel(d_prime=3.0, **PLAYED),
    "10 × 6": ClassModel(learners=10, cases=6, **SPREAD, **ITEMS, **PLAYED),
    "10 × 4": ClassModel(learners=10, cases=4, **SPREAD, **ITEMS, **PLAYED),
    "12 × 2": ClassModel(learners=12, cases=2, **SPREAD, **ITEMS, **PLAYED),
    "100 × 8": ClassModel(learners=100, cases=8, **SPREAD, **ITEMS, **PLAYED),
}


def has_turns(name: str) -> bool:
    """Whether a class is so small that it plays one of eight sets of cases in turn."""
    return MODELS[name].cases < len(SHIFTS)


def model_of(name: str, seed: int) -> ClassModel:
    """Return the class of a seed; of those with few cases, with cases of its own."""
    model = MODELS[name]
    if not has_turns(name):
        return model
    at = seed % len(SHIFTS)
    return replace(
        model,
        shifts=SHIFTS[at:] + SHIFTS[:at],
        strengths=STRENGTHS[at:] + STRENGTHS[:at],
    )


@dataclass(frozen=True)
class Truth:
    """What the figures of a model estimate."""

    d_prime: float
    criterion: float
    shares: tuple[float, ...]
    """Per case, the chance that a learner is right."""
    after: tuple[tuple[float, float], ...]
    """Per case, the same after the second vote, if the crowd was right, or wrong."""
    bins: dict[float, float]
    bias: float
    score: float
    change: float
    herding: float
    r: tuple[float, ...]


@cache
def truth_of(model: ClassModel) -> Truth:
    """Compute a model's estimands."""
    rng = np.random.default_rng(1)
    is_outer = np.arange(model.cases) % 2 == 0
    strength = np.array([model.strength(i) for i in range(model.cases)])
    shift = np.array([model.shift(i) for i in range(model.cases)])
    d = rng.normal(model.d_prime, model.d_spread, (DRAWS, 1))
    c = rng.normal(model.criterion, model.lean_spread, (DRAWS, 1))
    side = np.where(is_outer, 0.5, -0.5)
    beyond = rng.normal(side * strength * d + shift, 1) - c
    right = (beyond > 0) == is_outer
    belief = 1 / (1 + np.exp(-np.minimum(model.slope * np.abs(beyond), 50)))
    sure = np.round(10 * belief) / 10
    shares = _shares(model, is_outer, strength, shift, model.d_prime, model.d_spread)
    twin = _shares(model, is_outer, strength, shift, model.transfer_d or 0, 0.0)
    outer = np.where(is_outer, shares, 1 - shares)
    hit, false_alarm = outer[is_outer].mean(), outer[~is_outer].mean()
    z_hit, z_false = Z.inv_cdf(float(hit)), Z.inv_cdf(float(false_alarm))
    in_minority, in_majority = model.revote or (0.0, 0.0)
    return Truth(
        d_prime=z_hit - z_false,
        criterion=-(z_hit + z_false) / 2,
        shares=tuple(map(float, shares)),
        after=tuple(
            (
                float(p * (1 - in_majority) + (1 - p) * in_minority),
                float(p * (1 - in_minority) + (1 - p) * in_majority),
            )
            for p in shares
        ),
        bins={
            round(float(x), 1): float(right[sure == x].mean()) for x in np.unique(sure)
        },
        bias=float((sure - right).mean()),
        score=float((100 * (1 - (right - sure) ** 2)).mean()),
        change=float(twin.mean() - shares.mean()),
        herding=in_minority - in_majority,
        r=_correlations(right),
    )


def _shares(
    model: ClassModel,
    is_outer: np.ndarray,
    strength: np.ndarray,
    shift: np.ndarray,
    d_prime: float,
    d_spread: float,
) -> np.ndarray:
    """Chance of being right, the spread between learners integrated out."""
    side = np.where(is_outer, 1, -1)
    mean = side * (side * strength * d_prime / 2 + shift - model.criterion)
    deviation = np.sqrt(1 + (strength * d_spread / 2) ** 2 + model.lean_spread**2)
    return np.array([Z.cdf(float(x)) for x in mean / deviation])


def _correlations(right: np.ndarray) -> tuple[float, ...]:
    whole = right.sum(axis=1)
    columns = range(right.shape[1])
    return tuple(
        float(np.corrcoef(right[:, i], whole - right[:, i])[0, 1]) for i in columns
    )


def _difficulty(p: float) -> float:
    """The b at which a share p of learners with θ ~ N(0, 1) is right."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()

    def excess(b: float) -> float:
        return float(weights @ (1 / (1 + np.exp(b - nodes)))) - p

    return float(optimize.brentq(excess, -30, 30))


Outcome = tuple[str, bool, float]
"""Which figure, whether its interval holds the estimand, and how wide it is."""


def outcomes(name: str, seed: int) -> list[Outcome]:
    """Play and report one class; return what each interval did."""
    model = model_of(name, seed)
    report, truth = build_report(simulate(model, seed)), truth_of(model)
    found = [*_pooled(report, truth), *_by_case(report, truth)]
    found += _alone(model, seed, truth)
    return found


def _alone(model: ClassModel, seed: int, truth: Truth) -> Iterator[Outcome]:
    """Play the class without second votes, whose crowds are chance: its mean score."""
    alone = simulate(replace(model, revote=None, transfer_d=None), seed)
    means = [one.mean for one in alone.players.values() if one.mean is not None]
    yield from _held("mean score", mean_of(means), truth.score)


RASCH = {
    "30 people × 8, as assumed": (30, 1.0, 1.0),
    "100 × 8, as assumed": (100, 1.0, 1.0),
    "30 × 8, people alike (SD 0.5)": (30, 0.5, 1.0),
    "30 × 8, people differ (SD 1.5)": (30, 1.5, 1.0),
    "30 × 8, cases alike (SD 0.5)": (30, 1.0, 0.5),
    "30 × 8, cases differ (SD 1.5)": (30, 1.0, 1.5),
}
"""Learners, the spread of abilities and that of difficulties, in logits."""


def rasch(model: tuple[int, float, float], seed: int) -> list[Outcome]:
    """Draw difficulties and abilities; see which posterior intervals hold."""
    learners, spread, item_spread = model
    rng = np.random.default_rng(seed)
    b = rng.normal(0, item_spread, 8)
    theta = rng.normal(0, spread, (learners, 1))
    right = theta - b + rng.logistic(size=(learners, 8)) > 0
    seen = [{str(i): bool(x) for i, x in enumerate(row)} for row in right]
    found = []
    for key, one in difficulties(seen).items():
        low, high = one.interval
        found.append(("b", low <= _as_assumed(b[int(key)], spread) <= high, high - low))
    return found


def _as_assumed(b: float, spread: float) -> float:
    """The difficulty at which people with θ ~ N(0, 1) are right as often."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    share = (weights / weights.sum()) @ (1 / (1 + np.exp(b - spread * nodes)))
    return _difficulty(float(share))


def _held(what: str, figure: Figure | None, estimand: float) -> Iterator[Outcome]:
    if isinstance(figure, Estimate):
        is_held = figure.low <= estimand <= figure.high
        yield what, is_held, figure.high - figure.low


def _pooled(report: Report, truth: Truth) -> Iterator[Outcome]:
    (found,) = report.detections
    mean = float(np.mean(truth.shares))
    yield from _held("d′ of the class", found.d_prime, truth.d_prime)
    yield from _held("c of the class", found.criterion, truth.criterion)
    yield from _held("share of right answers, all cases", report.accuracy, mean)
    for team in report.teams:
        yield from _held("share of right answers, one team", team.accuracy, mean)
    assert report.calibration is not None
    yield from _held("confidence − share right", report.calibration.bias, truth.bias)
    for dot in report.calibration.dots:
        estimand = truth.bins.get(round(dot.confidence, 1))
        if estimand is not None:
            yield from _held(
                "share of right answers, one confidence level", dot.share, estimand
            )
    assert report.transfer is not None
    assert report.herding is not None
    yield from _held("vote to transfer", report.transfer.change, truth.change)
    yield from _held("herding", report.herding.all, truth.herding)


def _by_case(report: Report, truth: Truth) -> Iterator[Outcome]:
    for case in report.cases:
        index = case.number - 1
        yield from _held(
            "share of right answers, one case", case.right, truth.shares[index]
        )
        yield from _held("discrimination r", case.discrimination, truth.r[index])
        if case.moves and case.rights * 2 != case.n:
            after = truth.after[index][case.rights * 2 < case.n]
            yield from _held("share of right answers after", case.moves.after, after)


def coverage(name: str, seeds: int, pool: ProcessPoolExecutor) -> dict[str, str]:
    """Return for each figure what share of its intervals held, and their width."""
    results: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    drawn = range(seeds * (MORE if has_turns(name) else 1))
    for found in pool.map(partial(outcomes, name), drawn, chunksize=20):
        for what, is_held, width in found:
            results[what].append((is_held, width))
    return {what: _cell(both) for what, both in results.items()}


def _cell(both: Sequence[tuple[bool, float]]) -> str:
    """Write coverage in percent and mean width; mark what is not within 92 to 98."""
    share = 100 * sum(is_held for is_held, _ in both) / len(both)
    width = sum(width for _, width in both) / len(both)
    mark = "" if 92 <= share <= 98 else " !"
    return f"{share:.1f} ({width:.2f}){mark}"


def rasch_table(seeds: int) -> str:
    """Return the coverage of Rasch difficulties, as Markdown."""
    lines = ["| people and cases | coverage of b (mean width) |", "|---|---|"]
    with ProcessPoolExecutor() as pool:
        for name, model in RASCH.items():
            found = pool.map(partial(rasch, model), range(seeds), chunksize=20)
            lines.append(f"| {name} | {_cell([x[1:] for one in found for x in one])} |")
    return "\n".join(lines)


def table(seeds: int, keep: Path | None) -> str:
    """Return the coverage of every figure in every model, as Markdown."""
    with ProcessPoolExecutor(initializer=os.nice, initargs=(10,)) as pool:
        columns = {}
        for number, name in enumerate(MODELS):
            kept = keep / f"{seeds}-{number}.json" if keep else None
            if kept and kept.exists():
                columns[name] = json.loads(kept.read_text("utf-8"))
                continue
            columns[name] = coverage(name, seeds, pool)
            print(name, columns[name], file=sys.stderr)
            if kept:
                kept.write_text(json.dumps(columns[name]), "utf-8")
    figures = list(dict.fromkeys(what for one in columns.values() for what in one))
    lines = [
        "| figure | " + " | ".join(MODELS) + " |",
        "|---|" + "---|" * len(MODELS),
    ]
    for what in figures:
        cells = [columns[name].get(what, "hidden") for name in MODELS]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def wilson_table() -> str:
    """Return Wilson's exact coverage over all shares from .05 to .95, as Markdown."""
    lines = ["| n | mean | lowest | highest |", "|---|---|---|---|"]
    for n in (5, 10, 12, 20, 30, 100):
        found = [_wilson_coverage(n, p) for p in np.linspace(0.05, 0.95, 181)]
        figures = (np.mean(found), min(found), max(found))
        lines.append(f"| {n} | " + " | ".join(f"{100 * x:.1f}" for x in figures) + " |")
    return "\n".join(lines)


def _wilson_coverage(n: int, p: float) -> float:
    return sum(
        float(stats.binom.pmf(k, n, p))
        for k in range(n + 1)
        if wilson(k, n)[0] <= p <= wilson(k, n)[1]
    )


def main() -> None:
    """Measure, print, and write the table into docs/report.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--keep", type=Path, help="Folder for what is measured.")
    given = parser.parse_args()
    seeds, keep = given.seeds, given.keep
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
    found = "\n\n".join((table(seeds, keep), rasch_table(seeds), wilson_table()))
    print(found)
    if seeds >= SEEDS:
        text = DOCUMENT.read_text("utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        DOCUMENT.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
