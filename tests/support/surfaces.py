"""What every surface says of a game, as facts that can be compared.

Pages, panel, card, terminal, report and files: each is read as what it says of a round,
a player, a team, a site or the class.
"""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import openpyxl
from rich.console import Console, RenderableType

from client.terminal import private
from client.terminal.draw import final_table, summary, tallies
from server.game.ids import PlayerId
from server.game.outcomes import percent, tenth
from server.game.phases import Ballot
from server.game.state import RoomState
from server.game.views.host import host_view, person_card
from server.game.views.role_types import HostPanel, PrivateView
from server.game.views.stage_types import FinishedView, RevealView
from tests.support.game import Game

Facts = dict[tuple[object, ...], Any]


def of_reveal(view: RevealView, index: int) -> Facts:
    facts: Facts = {("round", index, "n"): view.before.n}
    for option, n in view.before.options.items():
        facts["round", index, "before", option] = n
    if view.after is not None:
        facts["round", index, "n after"] = view.after.n
        facts["round", index, "carried"] = view.carried
        for option, n in view.after.options.items():
            facts["round", index, "after", option] = n
    for site in view.cohorts:
        for when, part in (("before", site.before), ("after", site.after)):
            if part is not None:
                facts["site", site.name, index, when, "n"] = part.n
    return facts


def of_panel(panel: HostPanel, index: int) -> Facts:
    found = panel.measures
    assert found is not None
    is_second = found.ballot is Ballot.REVOTE
    when, after = ("after", " after") if is_second else ("before", "")
    facts: Facts = {
        ("round", index, f"n{after}"): found.n,
        ("round", index, f"right{after}"): found.right,
        ("round", index, f"sure and wrong{after}"): found.confident_errors,
    }
    if is_second:
        facts["round", index, "carried"] = found.carried
    for option, n in found.bars.options.items():
        facts["round", index, when, option] = n
    return facts


def of_closing(state: RoomState, view: FinishedView) -> Facts:
    facts: Facts = {("class", "mean"): view.class_mean}
    revealed = [i for i, round_ in enumerate(state.rounds) if round_.is_revealed]
    for index, one in zip(revealed, view.rounds, strict=True):
        facts["round", index, "n"] = one.n
        facts["round", index, "right"] = one.right_before
        if one.n_after is not None:
            facts["round", index, "n after"] = one.n_after
            facts["round", index, "right after"] = one.right_after
    for kind, groups in (("team", view.teams), ("site", view.cohorts)):
        for group in groups:
            facts[kind, group.name, "n"] = group.n
            if group.hidden is None:
                facts[kind, group.name, "mean"] = group.mean
    for line in view.podium:
        facts["player", line.name, "rank"] = line.rank
        facts["player", line.name, "mean"] = line.mean
    return facts


def of_standings(game: Game) -> Facts:
    facts: Facts = {}
    lines = host_view(game.state, game.now_ms).standings
    for line in lines:
        facts["player", line.name, "rank"] = line.rank
        facts["player", line.name, "points"] = line.points
        facts["player", line.name, "mean"] = line.mean
        facts["player", line.name, "rounds"] = line.rounds
    for cells in rows_of(final_table(lines, len(lines), most=len(lines))):
        if cells[0].isdigit():
            facts["player", cells[1], "rank"] = int(cells[0])
            facts["player", cells[1], "points"] = float(cells[2])
            facts["player", cells[1], "mean"] = float(cells[3])
            facts["player", cells[1], "rounds"] = int(cells[4])
    return facts


def of_roster(game: Game) -> Facts:
    facts: Facts = {}
    for player in game.state.players.values():
        card = person_card(game.state, player, game.present)
        facts["player", player.name, "points"] = card.points
        facts["player", player.name, "rounds"] = card.rounds
    return facts


def of_card(you: PrivateView) -> Facts:
    who = ("player", you.name)
    assert you.figures is not None
    facts: Facts = {
        (*who, "points"): you.points,
        (*who, "rounds"): you.rounds,
        (*who, "judged"): you.figures.judged,
        (*who, "right"): you.figures.right,
    }
    if you.mean is not None:
        facts[*who, "mean"] = you.mean
    for item in you.card:
        facts[*who, item.round, "score"] = item.score
        is_missed = item.round in you.figures.sure_and_wrong
        facts[*who, item.round, "sure and wrong"] = is_missed
        for vote in item.votes:
            if not vote.is_late:
                facts[*who, item.round, vote.ballot, "right"] = vote.is_right
                facts[*who, item.round, vote.ballot, "points"] = vote.points
    (points, rounds) = re.findall(r"[\d.-]+", private.points(you).plain)[:2]
    facts[*who, "points"] = float(points)
    facts[*who, "rounds"] = int(rounds)
    said = [
        line for line in words_of(private.card(you)).splitlines() if " points" in line
    ]
    scored = [item for item in you.card if item.score is not None]
    for item, line in zip(scored, said, strict=True):
        (score,) = re.findall(r"(-?[\d.]+) points", line)
        facts[*who, item.round, "score"] = float(score)
    return facts


def of_report(document: str, n_rounds: int) -> Facts:
    report = json.loads(document)["report"]
    facts: Facts = {}
    if "value" in report["score"]:
        facts["class", "mean"] = tenth(report["score"]["value"])
    right = answers = 0
    for case in report["cases"]:
        index = case["number"] - 1
        assert index < n_rounds
        right, answers = right + case["rights"], answers + case["n"] * case["is_scored"]
        facts["round", index, "n"] = case["n"]
        facts["round", index, "missed"] = case["missed"]
        facts["round", index, "right"] = case["rights"] if case["is_scored"] else None
        if case["is_scored"]:
            facts["round", index, "sure and wrong"] = case["confident_errors"]
        for cell in case["options"]:
            facts["round", index, "before", cell["answer"]] = cell["n"]
        moves = case["moves"]
        if moves:
            facts["round", index, "carried"] = moves["carried"]
            facts |= of_share(("round", index), " after", moves["after"])
        facts |= of_share(("round", index), "", case["right"])
        for ballot in ("fix", "transfer"):
            facts |= of_share(("round", index), f" {ballot}", case[ballot])
    for kind, groups in (("team", report["teams"]), ("site", report["cohorts"])):
        for group in groups:
            facts[kind, group["name"], "n"] = group["n"]
            if "value" in group["score"]:
                facts[kind, group["name"], "mean"] = tenth(group["score"]["value"])
    told = re.match(r"(\d+) of (\d+) answers? (?:was|were) right", report["sentence"])
    if told:
        assert (int(told[1]), int(told[2])) == (right, answers)
    return facts


def of_share(about: tuple[object, ...], which: str, figure: Any) -> Facts:
    """Read a share right, or the count that is shown instead."""
    if not figure or figure.get("why") == "not scored":
        return {}
    if "value" in figure:
        right = round(figure["value"] * figure["n"])
        assert percent(figure["value"]) == percent(right / figure["n"])
        return {(*about, f"right{which}"): right, (*about, f"n{which}"): figure["n"]}
    return {(*about, f"n{which}"): figure["n"]}


def of_workbook(content: bytes) -> Facts:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    facts: Facts = {}
    for label, value, *_ in book["Class"].iter_rows(min_row=2, values_only=True):
        if value is None:
            continue
        if label == "mean score":
            facts["class", "mean"] = tenth(value)
        elif found := re.fullmatch(r"mean score, (team|site) (.+)", str(label)):
            facts[found[1], found[2], "mean"] = tenth(value)
    head, *rows = book["Cases"].iter_rows(values_only=True)
    place = {name: i for i, name in reversed(list(enumerate(head)))}
    for row in rows:
        index = row[place["number"]] - 1
        facts["round", index, "n"] = row[place["n"]]
        facts["round", index, "missed"] = row[place["missed"]]
        if row[place["scored"]]:
            facts["round", index, "sure and wrong"] = row[place["sure and wrong"]]
        for name, which in (("share right", ""), ("share right after", " after")):
            share, n = row[place[name]], row[place[name] + 3]
            if share is not None:
                facts["round", index, f"right{which}"] = round(share * n)
                facts["round", index, f"n{which}"] = n
        if row[place["carried"]] is not None:
            facts["round", index, "carried"] = row[place["carried"]]
    return facts


def of_answers(state: RoomState, rows: Iterable[dict[str, str]]) -> Facts:
    """Count what the table of answers says, as someone would who has only that."""
    counts: dict[tuple[object, ...], int] = defaultdict(int)
    facts: Facts = {}
    earned: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    people = {player.id: player for player in state.players.values()}
    for row in rows:
        index, phase, status = int(row["round"]) - 1, row["phase"], row["status"]
        if row["played"] != "revealed" or phase == "say":
            continue
        name = people[PlayerId(row["person"])].name
        if status == "missed":
            counts["round", index, "missed"] += phase == "vote"
        elif status != "late":
            which = {"vote": "", "revote": " after"}.get(phase, f" {phase}")
            counts["round", index, f"n{which}"] += 1
            counts["round", index, f"right{which}"] += row["correct"] == "true"
            if which in ("", " after"):
                when = which.strip() or "before"
                counts["round", index, when, row["vote"]] += 1
                if row["site"]:
                    counts["site", row["site"], index, when, "n"] += 1
                    is_right = row["correct"] == "true"
                    counts["site", row["site"], index, when, "right"] += is_right
        if status == "cast":
            right = {"true": True, "false": False, "": None}[row["correct"]]
            facts["player", name, index, phase, "right"] = right
            points = float(row["points"]) if row["points"] else None
            facts["player", name, index, phase, "points"] = points
            if phase == "vote":
                counts["player", name, "judged"] += right is not None
                counts["player", name, "right"] += right is True
        counts["round", index, "carried"] += status == "carried"
        if row["points"]:
            earned[name][index].append(float(row["points"]))
    unjudged = {
        i for i, round_ in enumerate(state.rounds) if round_.case.contested is not None
    }
    told = {key: n for key, n in counts.items() if _is_judged(key, unjudged)}
    means: dict[str, float] = {}
    for name, rounds in earned.items():
        scores = {i: sum(points) / len(points) for i, points in rounds.items()}
        means[name] = sum(scores.values()) / len(scores)
        facts["player", name, "mean"] = tenth(means[name])
        facts["player", name, "points"] = tenth(sum(scores.values()))
        for i, score in scores.items():
            facts["player", name, i, "score"] = tenth(score)
    if means:
        facts["class", "mean"] = tenth(sum(means.values()) / len(means))
    for attribute, kind in (("team", "team"), ("site", "site")):
        groups = defaultdict(list)
        for player in people.values():
            if player.name in means and getattr(player, attribute):
                groups[getattr(player, attribute)].append(means[player.name])
        for group, values in groups.items():
            facts[kind, group, "n"] = len(values)
            facts[kind, group, "mean"] = tenth(sum(values) / len(values))
    return facts | told


def _is_judged(key: tuple[object, ...], unjudged: set[int]) -> bool:
    """Whether a count is a figure: of a contested case no right ones are."""
    index = {"round": 1, "site": 2}.get(str(key[0]))
    is_about_right = "right" in str(key[-1]) and "fix" not in str(key[-1])
    return index is None or not (is_about_right and key[index] in unjudged)


# --- the terminal ---------------------------------------------------------------------


def words_of(drawn: RenderableType) -> str:
    console = Console(width=400, color_system=None, file=io.StringIO())
    with console.capture() as captured:
        console.print(drawn)
    return captured.get()


def rows_of(drawn: RenderableType) -> list[list[str]]:
    lines = words_of(drawn).splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines if line.strip()]


def of_terminal_closing(state: RoomState, view: FinishedView) -> Facts:
    facts: Facts = {}
    titles = {r.case.title: i for i, r in enumerate(state.rounds) if r.is_revealed}
    for cells in rows_of(summary(view)):
        if cells[0] in titles:
            index, told = titles[cells[0]], cells[2:]
            for cell, which in zip(told, ("", " after"), strict=False):
                if found := re.fullmatch(r"(\d+) of (\d+)", cell):
                    facts["round", index, f"right{which}"] = int(found[1])
                    facts["round", index, f"n{which}"] = int(found[2])
        line = "  ".join(cells)
        if found := re.match(r"Class mean ([\d.-]+);", line):
            facts["class", "mean"] = float(found[1])
        if found := re.match(r"(red|blue): (-?[\d.]+) \(n = (\d+)\)", line):
            facts["team", found[1], "mean"] = float(found[2])
            facts["team", found[1], "n"] = int(found[3])
    return facts


def of_terminal_panel(panel: HostPanel, index: int) -> Facts:
    found = panel.measures
    assert found is not None
    after = " after" if found.ballot is Ballot.REVOTE else ""
    said = re.search(
        r"(\d+) of (\d+) right[^(]*\((\d+) %", words_of(private.advice(panel))
    )
    if said is None:
        return {}
    if found.n:
        assert int(said[3]) == percent(int(said[1]) / int(said[2]))
    return {
        ("round", index, f"right{after}"): int(said[1]),
        ("round", index, f"n{after}"): int(said[2]),
    }


def of_terminal_reveal(view: RevealView, index: int) -> Facts:
    facts: Facts = {}
    text = words_of(tallies(view))
    told = re.findall(r"\((\d+) answers?\)", text)
    facts["round", index, "n"] = int(told[0])
    if len(told) > 1:
        facts["round", index, "n after"] = int(told[1])
    return facts


def differing(found: Iterable[tuple[str, Facts]]) -> list[str]:
    """Return every fact on which surfaces differ, with what each says."""
    said: dict[tuple[object, ...], dict[str, object]] = defaultdict(dict)
    for name, facts in found:
        for key, value in facts.items():
            said[tuple(map(str, key))][name] = value
    return [
        f"{key}: {sayings}"
        for key, sayings in said.items()
        if len(set(map(repr, map(_plain, sayings.values())))) > 1
    ]


def _plain(value: object) -> object:
    return float(value) if isinstance(value, int | float) else value
