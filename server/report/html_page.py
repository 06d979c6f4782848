"""The report as one HTML file: no script, no reference to anything outside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from server.protocol.report_types import (
    DetectionFigures,
    Estimate,
    Hidden,
    MatrixRow,
    Report,
    TeamFigures,
)
from server.report.html_cases import again, cases, items, moves
from server.report.html_charts import (
    calibration_chart,
    interval_chart,
    lean_chart,
)
from server.report.html_style import STYLE
from server.report.html_words import (
    count,
    date,
    hidden,
    listed,
    note,
    number,
    percent,
    plain,
    points,
    section,
    share,
    table,
    verdict,
)


def html_page(report: Report) -> str:
    """Return the report as a whole HTML document."""
    room = report.room
    body = "".join(_sections(report))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(room.title)} · {escape(room.code)} · Two Gaps</title>"
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _sections(report: Report) -> Iterator[str]:
    yield _head(report)
    yield _care(report)
    yield section(
        "Telling the two gaps apart",
        *map(_detection, report.detections),
        _confusion(report.confusion),
    )
    yield section("Case by case", cases(report), moves(report))
    yield section("Where to go back to", again(report))
    yield _calibration(report)
    yield _after(report)
    yield _groups("Teams", "team", report.teams)
    yield _groups("Sites", "site", report.cohorts)
    yield _herding(report)
    yield section("The cases as questions", items(report))
    yield section("How to read this", _glossary())


def _head(report: Report) -> str:
    room = report.room
    facts = (
        f"room {room.code}",
        date(room.opened_ms),
        f"{room.people} people",
        f"{room.revealed} of {room.planned} rounds",
        f"deck {room.deck}, version {room.deck_version}",
        "two links" if room.is_two_link else "",
        "for others: counts of few people are hidden"
        if report.audience == "others"
        else "",
    )
    meta = " · ".join(escape(fact) for fact in facts if fact)
    return (
        f'<header><p class="brand">◎ Two Gaps: report</p><h1>{escape(room.title)}</h1>'
        f'<p class="meta">{meta}</p></header>'
        f'<p class="sentence">{escape(report.sentence)}</p>{listed(report.points)}'
        + table(
            ("right, all answers", "mean score", "goal"),
            [(share(report.accuracy), number(report.score, 1), f"{report.goal:g}")],
        )
    )


def _care(report: Report) -> str:
    if not report.caveats:
        return ""
    return (
        f'<aside class="care"><h2>Read with care</h2>{listed(report.caveats)}</aside>'
    )


# --- telling apart -------------------------------------------------------------------


def _detection(found: DetectionFigures) -> str:
    n = found.signals + found.noises
    title = "" if found.words is None else f"{found.words[0].upper()}{found.words[1:]}."
    if found.about != "outer against inner":
        title = f"{found.about.capitalize()}: {title}"
    head = f"<h3>{escape(title)}</h3>" if title else ""
    if isinstance(found.d_prime, Hidden) or isinstance(found.criterion, Hidden):
        return f"{head}<p>d′ and lean: {_why(found.d_prime)}.</p>"
    d_ticks = [(0.0, "not at all"), (1.0, "well"), (2.0, "2"), (3.0, "3")]
    rows = [
        ("d′, telling apart", number(found.d_prime), str(n)),
        ("c, lean (below 0: outer)", number(found.criterion), str(n)),
        ("outer called outer", percent(found.hit_rate), str(found.signals)),
        ("inner called outer", percent(found.false_alarm_rate), str(found.noises)),
    ]
    charts = (
        f"<figure>{interval_chart(found.d_prime, -1, 4, d_ticks)}<figcaption>d′: how "
        f"well they are told apart</figcaption></figure><figure>"
        f"{lean_chart(found.criterion)}<figcaption>c: which is called too often"
        "</figcaption></figure>"
    )
    small = note(
        "Of these cases, over learners like these: 95 % intervals by resampling "
        "learners."
    )
    figures = table(("", "95 % interval", "answers"), rows)
    return (
        f'{head}<div class="pair"><div>{charts}</div><div>{figures}</div></div>{small}'
    )


def _why(figure: Estimate | Hidden) -> str:
    return escape(figure.why) if isinstance(figure, Hidden) else ""


def _confusion(rows: tuple[MatrixRow, ...]) -> str:
    if not rows:
        return ""
    head = ("the case was", *(f"called {cell.answer}" for cell in rows[0].cells), "n")
    body = [
        (
            verdict(row.verdict),
            *(_cell(cell.n, row.n) for cell in row.cells),
            str(row.n),
        )
        for row in rows
    ]
    return f"<h3>What was taken for what</h3>{table(head, body)}"


def _cell(n: int | None, whole: int) -> str:
    if n is None:
        return count(n)
    width = round(100 * n / whole)
    bar = f'<span class="bar"><i style="width:{width}%"></i></span>'
    return f'{n} <span class="sub">{width} %</span>{bar}'


# --- confidence, learning, teams, crowd ----------------------------------------------


def _calibration(report: Report) -> str:
    found = report.calibration
    if found is None:
        return ""
    rows = [
        (percent(dot.confidence), share(dot.share), str(dot.n)) for dot in found.dots
    ]
    sums = [("confidence − share right", points(found.bias), str(found.n))]
    if found.brier is not None:
        sums += [
            ("Brier score", plain(found.brier, 3), str(found.n)),
            ("= REL − RES + UNC", _murphy(report), ""),
            ("skill against a coin", plain(found.skill), ""),
        ]
    if found.ece is not None:
        sums.append(("expected calibration error", plain(found.ece, 3), str(found.n)))
    charted = any(isinstance(dot.share, Estimate) for dot in found.dots)
    chart = (
        f"<figure>{calibration_chart(found.dots)}<figcaption>On the dashed line, "
        "confidence is what it says. Larger dots: more answers.</figcaption></figure>"
        if charted
        else ""
    )
    body = table(("said", "were right", "answers"), rows) + table(("", "", "n"), sums)
    return section(
        "How sure, and how right",
        f'<div class="pair">{chart}<div>{body}</div></div>',
        note("Answers without a confidence are left out."),
    )


def _murphy(report: Report) -> str:
    found = report.calibration
    assert found is not None
    parts = (found.reliability, found.resolution, found.uncertainty)
    rel, res, unc = (plain(part, 3) for part in parts)
    return f"{rel} − {res} + {unc}"


def _after(report: Report) -> str:
    rows = [
        (
            str(case.number),
            share(case.fix),
            f'<b class="name">{escape(case.transfer_case or "–")}</b>',
            share(case.transfer),
            share(case.first_sight),
        )
        for case in report.cases
        if case.fix is not None or case.transfer is not None
    ]
    if not rows:
        return ""
    head = ("case", "right repair", "twin case", "right on it", "elsewhere, first")
    told = ""
    if found := report.transfer:
        gain = "" if found.gain is None else f", normalized gain {plain(found.gain)}"
        told = (
            f"<p>The same people, first vote to twin: {percent(found.before)} to "
            f"{percent(found.after)} right; {points(found.change)}{gain}, "
            f"{found.pairs} pairs.</p>"
            if isinstance(found.change, Estimate)
            else f"<p>First vote to twin: {hidden(found.change)}.</p>"
        )
    return section("After the reveal: repair and transfer", table(head, rows), told)


def _groups(title: str, what: str, groups: Sequence[TeamFigures]) -> str:
    rows = [
        (
            escape(group.name),
            str(group.n),
            share(group.accuracy),
            number(group.score, 1),
        )
        for group in groups
    ]
    if not rows:
        return ""
    head = (what, "people", "right, all answers", "mean score")
    return section(title, table(head, rows))


def _herding(report: Report) -> str:
    found = report.herding
    if found is None:
        return ""
    if isinstance(found.all, Hidden):
        return section("The pull of the crowd", f"<p>{hidden(found.all)}</p>")
    rows = [
        ("all", points(found.all), str(found.all.n)),
        ("the majority was right", _points(found.majority_right), str(found.n_right)),
        ("the majority was wrong", _points(found.majority_wrong), str(found.n_wrong)),
    ]
    return section(
        "The pull of the crowd",
        table(("rounds in which", "minority switched more by", "answers"), rows),
        note(
            "P(switch | minority) − P(switch | majority). The tally was hidden until "
            "the second vote closed: what pulls is the talk."
        ),
    )


def _points(value: float | None) -> str:
    return "–" if value is None else f"{plain(100 * value, 0)} points"


# --- glossary -------------------------------------------------------------------------


_WORDS = {
    "right": "Share right in the first vote, alone, with Wilson's 95 % interval; over "
    "several answers a person, at the effective sample size.",
    "d′, c": "Signal detection with outer as the signal, log-linear. d′ 0: not told "
    "apart; c below 0: outer is called too often.",
    "gain g": "(after − before) / (1 − before), of those who voted twice.",
    "mid-p": "McNemar's mid-p of the change; small: more than chance.",
    "carried": "Voted only in the first vote; counted again in the second tally.",
    "discrimination": "Point-biserial correlation with the share right on the other "
    "cases; “check the key” where its interval lies below 0.",
    "above a coin": "Chance that more than half of people like these are right, by "
    "Jeffreys' posterior.",
    "KR-20": "How much the cases measure one thing; from 20 people and 8 cases on.",
    "Brier score": "Mean squared distance of confidence from outcome: 0 is perfect, "
    ".25 a coin flip. REL: distance from the dashed line; RES: how much "
    "confidence tells right from wrong; UNC: how mixed the outcomes were.",
}


def _glossary() -> str:
    lines = "".join(
        f"<dt>{w}</dt><dd>{escape(text)}</dd>" for w, text in _WORDS.items()
    )
    return f"<dl>{lines}</dl>"
