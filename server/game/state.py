"""The state of one room, owned by its actor and updated in place by ``evolve``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field

from scenarios.model import Case, Flow, Label, Plan, PlannedRound
from server.game.answers import Answer, FixAnswer
from server.game.errors import required
from server.game.groups import Group
from server.game.ids import Challenger, ClientId, PlayerId, RoomCode
from server.game.phases import OPEN_BALLOT, Ballot, Pause, Phase, Place, Run
from server.game.scoring import NEW_CLASS, Cohort, Earlier, Tally, points
from server.game.settings import RoomSettings

GRACE_MS = 2_000
"""A vote stamped within this time after the close counts if it precedes the reveal."""

USUAL_ALLOWANCE = 100
"""The time allowance of players who have not asked for more, in percent."""


@dataclass(slots=True)
class Player:
    """One person (or practice player) in the room."""

    id: PlayerId
    name: str
    team: str | None
    is_practice: bool
    joined_ms: int
    site: str | None = None
    """The site whose cohort the player belongs to; None at the room's own node."""
    is_kicked: bool = False
    is_barred: bool = False
    """Whether their name and device are blocked while they are removed."""
    allowance: int = USUAL_ALLOWANCE
    """Time allowance, in percent of every limit; 0 means unlimited."""
    points: float = 0
    """Sum of round scores."""
    rounds_scored: int = 0
    device: str | None = None
    """An identifier of their device, valid only in this room; None if not known."""

    @property
    def mean(self) -> float | None:
        """Mean round score, None before the first."""
        return self.points / self.rounds_scored if self.rounds_scored else None


@dataclass(slots=True)
class Vote:
    """The current answer of one player, and the latest stamp from each client."""

    answer: Answer
    reason: str
    at_ms: int
    first_ms: int
    stamps: dict[ClientId, int]
    is_late: bool = False
    team: str | None = None
    """The player's team when they answered."""

    def repeats(self, client: ClientId, counter: int, at_ms: int) -> bool:
        """Whether a stamp is not newer than the current answer's (the latest wins)."""
        seen = self.stamps.get(client)
        if seen is not None:
            return counter <= seen
        return at_ms < self.at_ms


@dataclass(slots=True)
class Poll:
    """One ballot of one round: when it ran, who answered what, and the count."""

    opened_ms: int
    deadline_ms: int | None
    closed_ms: int | None = None
    votes: dict[PlayerId, Vote] = field(default_factory=dict)
    late: dict[PlayerId, Vote] = field(default_factory=dict)
    missed: frozenset[PlayerId] = frozenset()
    tally: Tally = field(default_factory=Tally)
    sites: dict[str, Tally] = field(default_factory=dict)
    """The tally for each site."""
    site_until_ms: dict[str, int] = field(default_factory=dict)
    """The deadline of each site that was given more time."""
    pauses: list[Pause] = field(default_factory=list)
    """When the clock of the current run was stopped."""
    past: list[Run] = field(default_factory=list)
    """The runs before the ballot was reopened, oldest first."""

    @property
    def run(self) -> Run:
        """The current run of this ballot, or its last one."""
        return Run(self.opened_ms, self.deadline_ms, tuple(self.pauses))

    @property
    def runs(self) -> list[Run]:
        """Every run of this ballot, with the current one last."""
        return [*self.past, self.run]

    def run_at(self, at_ms: int) -> Run:
        """Return the run in which an answer was given."""
        begun = (run for run in reversed(self.runs) if run.opened_ms <= at_ms)
        return next(begun, self.runs[0])

    @property
    def is_open(self) -> bool:
        """Whether answers are being accepted."""
        return self.closed_ms is None


@dataclass(slots=True)
class Pin:
    """A reason that is shown to the class."""

    player: PlayerId
    ballot: Ballot


@dataclass(slots=True)
class Round:
    """One round: its planned cases, its polls and its results."""

    planned: PlannedRound
    polls: dict[Ballot, Poll] = field(default_factory=dict)
    is_opened: bool = False
    is_revealed: bool = False
    """Whether the class has been shown its tallies, which come before its verdict."""
    is_counted: bool = False
    """Whether it was played to the end, so that it is scored and counts in statistics.
    Rounds of a test are counted, but never revealed."""
    is_skipped: bool = False
    practice_of: int | None = None
    """The round whose case this round plays again for practice; None in the game."""
    is_hinted: bool = False
    """Whether anything has been shown that could change an answer to VOTE."""
    pins: list[Pin] = field(default_factory=list)
    said: dict[PlayerId, str] = field(default_factory=dict)
    """How each player describes it, in one sentence."""
    quoted: PlayerId | None = None
    """The player whose sentence the class is shown; None if it is shown none."""
    challenges: dict[Challenger, str] = field(default_factory=dict)
    """The challenges to its label, latest last; an erased one is empty."""
    groups: tuple[Group, ...] = ()
    group_of: dict[PlayerId, Group] = field(default_factory=dict)
    """The groups when the latest discussion was opened, and each person's group."""
    scores: dict[PlayerId, float] = field(default_factory=dict)
    teams: dict[PlayerId, str] = field(default_factory=dict)
    """The team that each score counts for: the player's team when they answered."""
    after: Tally = field(default_factory=Tally)
    """REVOTE's tally including carried votes; empty without a REVOTE."""
    carried: int = 0
    """The number of carried votes in ``after``, by people who voted only in VOTE."""
    cohorts: dict[str, Cohort] = field(default_factory=dict)
    """How each site voted, if there is more than one."""
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of people for each (option in VOTE, option in REVOTE)."""

    @property
    def case(self) -> Case:
        """The case that is voted on."""
        return self.planned.case

    def case_of(self, ballot: Ballot) -> Case:
        """Return the case a ballot asks about; for TRANSFER, this is the twin."""
        if ballot is Ballot.TRANSFER:
            return required(self.planned.transfer, "the twin")
        return self.planned.case


@dataclass(slots=True)
class Opening:
    """The current step of the opening minute, and each player's tap on each case.

    Step 0 draws the line; then each case has one step for taps and one for the answer.
    """

    step: int = 0
    taps: tuple[dict[PlayerId, Label], ...] = ()
    tapped_ms: int = 0
    """The time of the latest tap (UTC ms)."""
    is_seen: bool = False
    """Whether the opening minute has ever been shown."""

    @property
    def case(self) -> int | None:
        """Which case the step is about (0-based); None while the line is drawn."""
        return (self.step - 1) // 2 if self.step else None

    @property
    def open_taps(self) -> dict[PlayerId, Label] | None:
        """The taps on the case that is open; None if no case is open."""
        is_open = self.step % 2 == 1
        return self.taps[(self.step - 1) // 2] if is_open else None


@dataclass(slots=True)
class RoomState:
    """The complete state of a room, as recorded in its journal."""

    code: RoomCode
    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str
    opened_ms: int
    rounds: list[Round]
    """The rounds of the plan. Points, reports and statistics use only these."""
    set_goal: float | None = None
    """The class goal as it was set when the room was opened, if it was."""
    earlier: Earlier = NEW_CLASS
    """What the class showed in earlier lessons."""
    host_key: str = ""
    """The key in the first host link (hex)."""
    link_salts: list[str] = field(default_factory=list)
    """One salt for each host link that was revoked; the next key is derived with it."""
    cohosts_from: int = 0
    """The index of the first host link whose co-host links are still valid."""
    home: str | None = None
    """The node that the room was last moved to; None if it was never moved."""
    epoch: int = 1
    """How many homes the room has had."""
    version: int = 1
    """The number of events that have been folded into the state."""
    phase: Phase = Phase.LOBBY
    round_index: int | None = None
    example_index: int | None = None
    opening: Opening = field(default_factory=Opening)
    step: int = 0
    deadline_ms: int | None = None
    """When the current phase's timer ends (UTC ms); None if no timer is running."""
    stopped_ms: int | None = None
    """When the host stopped that timer; None while it runs."""
    warned_until_ms: int | None = None
    is_locked: bool = False
    locked_sites: set[str] = field(default_factory=set)
    """Sites at which new players can no longer join."""
    finished_ms: int | None = None
    practice: dict[int, Round] = field(default_factory=dict)
    """Cases played again after their reveal; no round of the plan has their indices."""
    again: int | None = None
    """The round whose reveal is being shown again; None in the normal view."""
    plan_changes: int = 0
    """How often the host has changed the plan."""
    name: str = ""
    """What the host calls the room; empty if it has no name."""
    players: dict[PlayerId, Player] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)
    """Look-alike forms of the names in use, and how many names have each."""
    kicked: set[PlayerId] = field(default_factory=set)
    removed_looks: Counter[str] = field(default_factory=Counter)
    """Look-alike forms of the names of players who were removed."""
    removed_devices: Counter[str] = field(default_factory=Counter)
    """The devices that players who were removed had joined on."""
    own_time: dict[PlayerId, None] = field(default_factory=dict)
    """Players with a changed allowance, in the order in which they asked for it."""
    joined: int = 0
    """The number of players in the room, without those who were removed."""
    voters: set[PlayerId] = field(default_factory=set)
    """Players in the room who have ever voted."""
    team_sizes: Counter[str] = field(default_factory=Counter)
    """The number of players in the room, by team."""
    people: Counter[str] = field(default_factory=Counter)
    """The same by site, in the order in which the sites joined."""
    late: Counter[str | None] = field(default_factory=Counter)
    """The number of late votes in the whole game, by the player's site."""

    @property
    def round(self) -> Round:
        """The current round. Only valid in phases that have one."""
        return self.round_at(self.index)

    @property
    def index(self) -> int:
        """The index of the current round. Only valid in phases that have one."""
        return required(self.round_index, "the round")

    @property
    def plan_index(self) -> int | None:
        """The index of the current round in the plan, or of the one being practiced."""
        if self.round_index is None:
            return None
        of = self.round.practice_of
        return self.round_index if of is None else of

    def round_at(self, index: int) -> Round:
        """Return the planned round or the practice round with this index."""
        practice = self.practice.get(index)
        return self.rounds[index] if practice is None else practice

    def has_round(self, index: int) -> bool:
        """Whether there is a planned round or a practice round with this index."""
        return index < len(self.rounds) or index in self.practice

    @property
    def place(self) -> Place:
        """The room's current place in the game."""
        match self.phase:
            case Phase.OPENING:
                step = self.opening.step
            case Phase.EXAMPLE:
                step = self.example_index or 0
            case Phase.REVEAL:
                step = self.step
            case _:
                step = 0
        return Place(self.round_index, self.phase, step, self.plan_changes)

    @property
    def ballot(self) -> Ballot | None:
        """The ballot that is open now."""
        return OPEN_BALLOT.get(self.phase)

    @property
    def poll(self) -> Poll | None:
        """The poll that is open now."""
        ballot = self.ballot
        return self.round.polls[ballot] if ballot else None

    @property
    def flow(self) -> Flow:
        """The flow that the big button follows: the room's, or else its deck's."""
        return self.settings.flow or self.plan.flow

    def is_handed_in(self, round_: Round) -> bool:
        """Whether the vote of a test round is closed; no reveal follows in a test."""
        vote = round_.polls.get(Ballot.VOTE)
        is_left = self.flow == "test" and round_.practice_of is None
        return is_left and vote is not None and not vote.is_open

    @property
    def sites(self) -> list[str]:
        """The sites that players belong to, in the order in which they joined."""
        return list(self.people)

    @property
    def asked(self) -> Set[PlayerId] | None:
        """Players who have answered what is asked now; None if nothing is asked."""
        if self.phase is Phase.OPENING:
            taps = self.opening.open_taps
            return None if taps is None else taps.keys()
        if self.phase is Phase.SAY:
            return {player for player, text in self.round.said.items() if text}
        poll = self.poll
        return poll.votes.keys() if poll else None

    @property
    def answered(self) -> Set[PlayerId]:
        """The same as ``asked``, but empty if nothing is asked."""
        return self.asked or frozenset()

    def enter(self, phase: Phase, deadline_ms: int | None = None) -> None:
        """Enter a phase with its deadline, and clear the timers of the previous one."""
        self.phase = phase
        self.deadline_ms = deadline_ms
        self.warned_until_ms = self.stopped_ms = self.again = None

    def clock_ms(self, now_ms: int) -> int:
        """Return the time that the timer goes by: now, or when the host stopped it."""
        return now_ms if self.stopped_ms is None else self.stopped_ms

    def counts(self, player: PlayerId) -> bool:
        """Whether a player counts in tallies; practice players only in a rehearsal."""
        return self.settings.simulated or not self.players[player].is_practice

    def next_round(self, besides: int | None = None) -> int | None:
        """Return the round to open next: an unfinished one, or the first unplayed."""
        left = [
            index
            for index, round_ in enumerate(self.rounds)
            if not (
                round_.is_counted
                or round_.is_skipped
                or index == besides
                or self.is_handed_in(round_)
            )
        ]
        opened = [index for index in left if self.rounds[index].is_opened]
        return next(iter(opened or left), None)

    def vote_points(
        self, round_: Round, ballot: Ballot, player: PlayerId
    ) -> float | None:
        """Return the points of a player's vote; None without a vote or if unscored."""
        poll = round_.polls.get(ballot)
        vote = poll.votes.get(player) if poll else None
        if poll is None or vote is None or isinstance(vote.answer, FixAnswer):
            return None
        run = poll.run_at(vote.at_ms)
        limit = run.limit_ms(run.deadline_ms)
        # old journals may contain absurd stamps, from before stamps were bounded
        taken_ms = min(max(0, run.elapsed_ms(vote.at_ms)), limit)
        elapsed = taken_ms / limit if limit > 0 else 0
        case = round_.case_of(ballot)
        return points(self.settings.score_mode, vote.answer, case, elapsed)
