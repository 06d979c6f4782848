"""Every surface tells the same figures: pages, panel, card, terminal, report and files.

A surface is read as facts: what it says of a round, a player, a team, a site or the
class. Whatever two surfaces both say has to be equal, in random games with second
votes, latecomers, removed and practice players, contested cases, two links, teams and
sites.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scenarios.model import Label, Plan, PlannedRound
from server.game.answers import Answer, FixAnswer, GapAnswer, LinkAnswer, LinksAnswer
from server.game.commands import (
    AskFix,
    CloseVotes,
    Discuss,
    Finish,
    Join,
    Kick,
    NextStep,
    OpenRound,
    OpenVote,
    PlayAgain,
    Reveal,
    Revote,
    Transfer,
)
from server.game.engine import open_room
from server.game.ids import PlayerId
from server.game.phases import Ballot
from server.game.scoring import levels
from server.game.settings import RoomSettings, ScoreMode
from server.game.state import RoomState
from server.game.views.host import host_panel, host_view
from server.game.views.player import private_view
from server.game.views.stage import player_view, screen_view
from server.game.views.stage_types import FinishedView, RevealView
from server.report.exports import csv_text, json_text
from server.report.report import build_report
from server.report.table import table
from server.report.workbook import xlsx_bytes
from tests.support.cases import make_case, opened
from tests.support.game import Game
from tests.support.surfaces import (
    Facts,
    differing,
    of_answers,
    of_card,
    of_closing,
    of_panel,
    of_report,
    of_reveal,
    of_roster,
    of_standings,
    of_terminal_closing,
    of_terminal_panel,
    of_terminal_reveal,
    of_workbook,
)
from tests.support.tiers import scaled

MODES: list[ScoreMode] = ["brier", "accuracy", "certainty", "speed"]


# --- random games ---------------------------------------------------------------------


class Lesson:
    """A random game, with what the pages showed at each reveal."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        two_link = rng.random() < 0.4
        mode = rng.choice(MODES[:2] if two_link else MODES)
        asks = mode != "accuracy" or rng.random() < 0.5
        self.settings = RoomSettings(
            score_mode=mode,
            confidence=asks,
            two_link=two_link,
            teams=("red", "blue") if rng.random() < 0.5 else (),
            podium=rng.random() < 0.5,
            simulated=rng.random() < 0.2,
            min_cell=rng.choice((1, 5)),
        )
        self.game = Game()
        first = replace(opened(self.settings), plan=_plan(rng, two_link))
        self.game.state = open_room(first)
        self.game.journal = [first]
        self.facts: list[tuple[str, Facts]] = []
        self.sites = rng.choice([(None,), ("berlin", "lisbon")])

    @property
    def state(self) -> RoomState:
        return self.game.state

    def play(self) -> None:
        """Play every round, or leave some out, and finish."""
        self.arrive(self.rng.randint(1, 9))
        for index in range(len(self.state.rounds)):
            self.arrive(self.rng.choice((0, 0, 2)))
            if self.rng.random() < 0.9:
                self.round(index)
            here = [p for p in self.state.players if p not in self.state.kicked]
            if here and self.rng.random() < 0.2:
                self.game.do(Kick(player=self.rng.choice(here)))
        self.game.do(Finish())

    def arrive(self, n: int) -> None:
        for _ in range(n):
            player = PlayerId(f"p-{len(self.state.players)}")
            name = f"name{len(self.state.players)}"
            teams = self.settings.teams
            team = self.rng.choice((*teams, None)) if teams else None
            practice, site = self.rng.random() < 0.15, self.rng.choice(self.sites)
            self.game.do(Join(player, name, team, practice, site))
            self.game.present.add(player)

    def round(self, index: int) -> None:
        self.game.do(OpenRound(round=index), OpenVote())
        self.answers(Ballot.VOTE)
        self.game.do(CloseVotes())
        if self.rng.random() < 0.6:
            self.arrive(self.rng.choice((0, 1)))
            self.game.do(Discuss(), Revote())
            self.answers(Ballot.REVOTE)
            self.game.do(CloseVotes())
            self.facts.append(("panel before the reveal", self.panel(index)))
        self.game.do(Reveal())
        self.look(index)
        self.game.do(NextStep(all=True))
        if self.rng.random() < 0.3:
            self.game.do(AskFix())
            self.answers(Ballot.FIX)
            self.game.do(CloseVotes())
        if self.rng.random() < 0.3:
            self.game.do(Transfer())
            self.answers(Ballot.TRANSFER)
            self.game.do(CloseVotes())
        if self.rng.random() < 0.2:
            self.game.do(PlayAgain(), OpenVote())
            self.answers(Ballot.VOTE)
            self.game.do(CloseVotes(), Reveal())

    def answers(self, ballot: Ballot) -> None:
        for player in list(self.state.players):
            if self.rng.random() < 0.75 and player not in self.state.kicked:
                self.game.now_ms += self.rng.randint(0, 3_000)
                self.game.vote(player.removeprefix("p-"), self.answer(ballot))

    def answer(self, ballot: Ballot) -> Answer:
        if ballot is Ballot.FIX:
            return FixAnswer(self.rng.randrange(3))
        if not self.settings.two_link:
            return GapAnswer(self.rng.choice(list(Label)), self.sure())
        broke = [self.rng.random() < 0.5 for _ in range(2)]
        return LinksAnswer(*(LinkAnswer(one, self.sure()) for one in broke))

    def sure(self) -> int | None:
        if not self.settings.confidence or self.rng.random() < 0.1:
            return None
        return self.rng.choice(levels(self.settings.score_mode))

    def look(self, index: int) -> None:
        """Read the pages at a reveal."""
        state, now_ms = self.state, self.game.now_ms
        views = {
            "screen": screen_view(state, now_ms),
            "players": player_view(state, now_ms),
            "host's stage": host_view(state, now_ms).stage,
        }
        for name, view in views.items():
            assert isinstance(view, RevealView)
            self.facts.append((name, of_reveal(view, index)))
            if name == "screen":
                self.facts.append(("terminal reveal", of_terminal_reveal(view, index)))
        self.facts.append(("panel", self.panel(index)))
        self.facts.append(("sites of the panel", self.site_facts(index)))

    def panel(self, index: int) -> Facts:
        panel = host_panel(self.state, self.game.now_ms, self.game.present)
        return of_panel(panel, index) | of_terminal_panel(panel, index)

    def site_facts(self, index: int) -> Facts:
        facts: Facts = {}
        panel = host_panel(self.state, self.game.now_ms, self.game.present)
        assert panel.measures is not None
        when = "after" if panel.measures.ballot is Ballot.REVOTE else "before"
        for site in panel.sites:
            facts["site", site.name, index, when, "n"] = site.answered
            facts["site", site.name, index, when, "right"] = site.right
        return facts


def _plan(rng: Random, two_link: bool) -> Plan:
    def planned(i: int) -> PlannedRound:
        is_argued = rng.random() < 0.2
        truth = (rng.random() < 0.5, rng.random() < 0.5)
        if not two_link and truth[0] == truth[1]:
            truth = (True, False)
        contested = "both sides" if is_argued else None
        return PlannedRound(
            case=make_case(f"case-{i}", *truth, contested),
            transfer=make_case(f"twin-{i}", *truth),
        )

    rounds = tuple(planned(i) for i in range(rng.randint(1, 4)))
    return Plan(deck="d", deck_version=1, title="Test deck", rounds=rounds)


# --- the property ---------------------------------------------------------------------


def surfaces(lesson: Lesson) -> list[tuple[str, Facts]]:
    """Read every surface of a game that is over."""
    state, now_ms = lesson.state, lesson.game.now_ms
    report = build_report(state)
    rows = table(state, lambda _, player: player)
    closing = player_view(state, now_ms)
    wall, stage = screen_view(state, now_ms), host_view(state, now_ms).stage
    assert isinstance(closing, FinishedView)
    assert isinstance(wall, FinishedView)
    assert isinstance(stage, FinishedView)
    found = [
        *lesson.facts,
        ("closing page", of_closing(state, closing)),
        ("closing page on the wall", of_closing(state, wall)),
        ("closing page of the host", of_closing(state, stage)),
        ("terminal's closing page", of_terminal_closing(state, closing)),
        ("standings", of_standings(lesson.game)),
        ("roster", of_roster(lesson.game)),
        ("report as JSON", of_report(json_text(report, rows), len(state.rounds))),
        ("workbook", of_workbook(xlsx_bytes(report, rows))),
        ("table of answers", of_answers(state, csv.DictReader(_lines(rows)))),
    ]
    for player in state.players:
        you = private_view(state, player, now_ms, lesson.game.present)
        found.append((f"card of {you.name}", of_card(you)))
    return found


def _lines(rows: Any) -> io.StringIO:
    return io.StringIO(csv_text(rows).removeprefix("\ufeff"))


@hypothesis_settings(max_examples=scaled(40, 400, 4_000), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whatever_two_surfaces_say_of_a_game_is_the_same(seed: int) -> None:
    lesson = Lesson(Random(seed))
    lesson.play()
    assert differing(surfaces(lesson)) == []


BENT: dict[str, Callable[[FinishedView], FinishedView]] = {
    "a mean that is rounded down": lambda view: replace(
        view, class_mean=(view.class_mean or 0) - 0.1
    ),
    "a share of other people": lambda view: replace(
        view,
        rounds=tuple(replace(one, n_after=one.n) for one in view.rounds),
    ),
}


def test_a_surface_that_is_bent_is_found() -> None:
    """The property can fail: each way of bending one page is seen in some game."""
    unseen = set(BENT)
    for seed in range(60):
        lesson = Lesson(Random(seed))
        lesson.play()
        closing = player_view(lesson.state, lesson.game.now_ms)
        assert isinstance(closing, FinishedView)
        whole = surfaces(lesson)
        assert differing(whole) == []
        for name in list(unseen):
            bent = of_closing(lesson.state, BENT[name](closing))
            if differing([*whole, ("bent", bent)]):
                unseen.discard(name)
        if not unseen:
            break
    assert unseen == set()
