"""The state of one room, owned by its actor and folded in place by ``evolve``."""

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
from server.game.scoring import Cohort, Tally, points
from server.game.settings import RoomSettings

GRACE_MS = 2_000
"""A vote stamped this long after the close still counts, if it comes before reveal."""

USUAL_ALLOWANCE = 100
"""Percent of every limit that a player has who has asked for nothing."""


@dataclass(slots=True)
class Player:
    """One person (or practice player) in the room."""

    id: PlayerId
    name: str
    team: str | None
    is_practice: bool
    joined_ms: int
    site: str | None = None
    """Whose cohort; None at the room's own node."""
    is_kicked: bool = False
    is_barred: bool = False
    """Whether their name and device stay out while they are removed."""
    allowance: int = USUAL_ALLOWANCE
    """Time allowance, in percent of every limit; 0 means unlimited."""
    points: float = 0
    """Sum of round scores."""
    rounds_scored: int = 0
    device: str | None = None
    """What marks the device they joined on, in this room alone; None if not known."""

    @property
    def mean(self) -> float | None:
        """Mean round score, None before the first."""
        return self.points / self.rounds_scored if self.rounds_scored else None


@dataclass(slots=True)
class Vote:
    """The answer of one player that stands, and the stamps it has carried."""

    answer: Answer
    reason: str
    at_ms: int
    first_ms: int
    stamps: dict[ClientId, int]
    is_late: bool = False
    team: str | None = None
    """The player's team when they answered."""

    def repeats(self, client: ClientId, counter: int, at_ms: int) -> bool:
        """Whether a stamp is not newer than what stands: the latest stamp wins."""
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
    """The same by the player's site."""
    site_until_ms: dict[str, int] = field(default_factory=dict)
    """Until when the people of a site may answer that was given more time."""
    pauses: list[Pause] = field(default_factory=list)
    """When the clock of the present run stood still."""
    past: list[Run] = field(default_factory=list)
    """The runs before it was reopened, oldest first."""

    @property
    def run(self) -> Run:
        """The present run of this ballot, or its last."""
        return Run(self.opened_ms, self.deadline_ms, tuple(self.pauses))

    @property
    def runs(self) -> list[Run]:
        """Every run of this ballot, the present one last."""
        return [*self.past, self.run]

    def run_at(self, at_ms: int) -> Run:
        """Return the run in which an answer was given."""
        begun = (run for run in reversed(self.runs) if run.opened_ms <= at_ms)
        return next(begun, self.runs[0])

    @property
    def is_open(self) -> bool:
        """Whether answers are being taken."""
        return self.closed_ms is None


@dataclass(slots=True)
class Pin:
    """A reason that is shown to the class."""

    player: PlayerId
    ballot: Ballot


@dataclass(slots=True)
class Round:
    """One round: its planned cases, its polls, and what came of it."""

    planned: PlannedRound
    polls: dict[Ballot, Poll] = field(default_factory=dict)
    is_opened: bool = False
    is_revealed: bool = False
    """Whether the class has been shown its tallies: the way to its verdict."""
    is_counted: bool = False
    """Whether it was played to its end: it is scored, and in every statistic. Rounds of
    a test are counted and never revealed."""
    is_skipped: bool = False
    practice_of: int | None = None
    """The round whose case is played again for practice, unscored; None in the game."""
    is_hinted: bool = False
    """Whether anything has been shown that may change an answer to VOTE."""
    pins: list[Pin] = field(default_factory=list)
    said: dict[PlayerId, str] = field(default_factory=dict)
    """What each player would say of it, in one sentence."""
    challenges: dict[Challenger, str] = field(default_factory=dict)
    """The sentences against its label, latest last; empty if one was erased."""
    groups: tuple[Group, ...] = ()
    group_of: dict[PlayerId, Group] = field(default_factory=dict)
    """The groups of the latest discussion as it opened, and the one of each person."""
    scores: dict[PlayerId, float] = field(default_factory=dict)
    teams: dict[PlayerId, str] = field(default_factory=dict)
    """The team that each score counts for: the player's when they answered."""
    after: Tally = field(default_factory=Tally)
    """REVOTE's tally with carried votes in it; empty without a REVOTE."""
    carried: int = 0
    """How many of ``after`` voted only in VOTE."""
    cohorts: dict[str, Cohort] = field(default_factory=dict)
    """How each site voted, if there is more than one."""
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(option in VOTE, option in REVOTE) of those who voted in both."""

    @property
    def case(self) -> Case:
        """The case that is voted on."""
        return self.planned.case

    def case_of(self, ballot: Ballot) -> Case:
        """The case a ballot asks about: the twin for TRANSFER."""
        if ballot is Ballot.TRANSFER:
            return required(self.planned.transfer, "the twin")
        return self.planned.case


@dataclass(slots=True)
class Opening:
    """How far the opening minute is, and what each player tapped on each case.

    Step 0 draws the line; then each case is open for a step, and shown for one.
    """

    step: int = 0
    taps: tuple[dict[PlayerId, Label], ...] = ()
    tapped_ms: int = 0
    """When the latest tap came."""
    is_seen: bool = False
    """Whether it was ever begun."""

    @property
    def case(self) -> int | None:
        """Which case the step is about (0-based); None while the line is drawn."""
        return (self.step - 1) // 2 if self.step else None

    @property
    def open_taps(self) -> dict[PlayerId, Label] | None:
        """What was tapped on the case that takes taps; None while none does."""
        is_open = self.step % 2 == 1
        return self.taps[(self.step - 1) // 2] if is_open else None


@dataclass(slots=True)
class RoomState:
    """Everything that a journal says about its room."""

    code: RoomCode
    plan: Plan
    settings: RoomSettings
    seed: int
    secret: str
    opened_ms: int
    rounds: list[Round]
    """The rounds of the plan: all that points, reports and statistics are made of."""
    set_goal: float | None = None
    """The class goal as it was set when the room was opened, if it was."""
    host_key: str = ""
    """What the first host link holds (hex)."""
    link_salts: list[str] = field(default_factory=list)
    """One for each host link that was called back: the next key is made with it."""
    cohosts_from: int = 0
    """The first host link from which links of co-hosts are still good."""
    home: str | None = None
    """The node that the room was moved to last; None if it never was."""
    epoch: int = 1
    """How many homes the room has had."""
    version: int = 1
    """How many events have been folded in: grows by one an event, forever."""
    phase: Phase = Phase.LOBBY
    round_index: int | None = None
    example_index: int | None = None
    opening: Opening = field(default_factory=Opening)
    step: int = 0
    deadline_ms: int | None = None
    """Where the running phase's timer ends (UTC ms); None if none runs."""
    stopped_ms: int | None = None
    """When the host stopped that timer; None while it runs."""
    warned_until_ms: int | None = None
    is_locked: bool = False
    locked_sites: set[str] = field(default_factory=set)
    """Sites at which new players can no longer join."""
    finished_ms: int | None = None
    practice: dict[int, Round] = field(default_factory=dict)
    """Cases played again after their reveal, by an index that no round of the plan
    has."""
    again: int | None = None
    """The round whose reveal the class sees once more; None while it sees the game."""
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
    """Players whose allowance is not the usual one, in the order of their wishes."""
    joined: int = 0
    """Players who are in the room: not kicked."""
    voters: set[PlayerId] = field(default_factory=set)
    """Players in the room who have ever voted."""
    team_sizes: Counter[str] = field(default_factory=Counter)
    """Players in the room by team."""
    people: Counter[str] = field(default_factory=Counter)
    """The same by site, in the order in which the sites came."""
    late: Counter[str | None] = field(default_factory=Counter)
    """Votes kept late in the whole game, by the player's site."""

    @property
    def round(self) -> Round:
        """The round the room is in. Only in phases that have one."""
        return self.round_at(self.index)

    @property
    def index(self) -> int:
        """The index of the round the room is in. Only in phases that have one."""
        return required(self.round_index, "the round")

    @property
    def plan_index(self) -> int | None:
        """The round of the plan that the room is in; in practice, whose case it is."""
        if self.round_index is None:
            return None
        of = self.round.practice_of
        return self.round_index if of is None else of

    def round_at(self, index: int) -> Round:
        """Return a round of the plan or, beyond those, one of practice."""
        practice = self.practice.get(index)
        return self.rounds[index] if practice is None else practice

    def has_round(self, index: int) -> bool:
        """Whether there is a round of this index, of the plan or of practice."""
        return index < len(self.rounds) or index in self.practice

    @property
    def place(self) -> Place:
        """Where the room is."""
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
        """Whether a round of a test has been answered: it is left without a reveal."""
        vote = round_.polls.get(Ballot.VOTE)
        is_left = self.flow == "test" and round_.practice_of is None
        return is_left and vote is not None and not vote.is_open

    @property
    def sites(self) -> list[str]:
        """The sites that players belong to, in the order in which they came."""
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
        """The same, empty if nothing is asked."""
        return self.asked or frozenset()

    def enter(self, phase: Phase, deadline_ms: int | None = None) -> None:
        """Go to a phase, with its deadline; what belonged to the last one's ends."""
        self.phase = phase
        self.deadline_ms = deadline_ms
        self.warned_until_ms = self.stopped_ms = self.again = None

    def clock_ms(self, now_ms: int) -> int:
        """Return what time it is for the timer: it stands still while stopped."""
        return now_ms if self.stopped_ms is None else self.stopped_ms

    def counts(self, player: PlayerId) -> bool:
        """Whether a player counts in tallies: practice only in a rehearsal."""
        return self.settings.simulated or not self.players[player].is_practice

    def next_round(self, besides: int | None = None) -> int | None:
        """The round to open next: one left unfinished, else the first not played."""
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
        """Return the points of a player's vote; None without one, or unscored."""
        poll = round_.polls.get(ballot)
        vote = poll.votes.get(player) if poll else None
        if poll is None or vote is None or isinstance(vote.answer, FixAnswer):
            return None
        run = poll.run_at(vote.at_ms)
        limit = run.limit_ms(run.deadline_ms)
        # a stamp may be absurd in journals of before stamps were bounded
        taken_ms = min(max(0, run.elapsed_ms(vote.at_ms)), limit)
        elapsed = taken_ms / limit if limit > 0 else 0
        case = round_.case_of(ballot)
        return points(self.settings.score_mode, vote.answer, case, elapsed)
