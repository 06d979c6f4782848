"""Views for the class: one that all players share, and one for the projector."""

from __future__ import annotations

from dataclasses import replace

from scenarios.model import Case
from server.game.advice import last_words
from server.game.errors import required
from server.game.features import course, opening, saying
from server.game.goal import goal_of
from server.game.outcomes import (
    cohorts_of,
    count_of,
    group_means,
    latest_names,
    mean_score,
    mean_so_far,
    scored,
    sites_of,
    standings,
    teams_of,
    tenth,
)
from server.game.phases import (
    LAST_STEP,
    ROUND,
    STEPS,
    VERDICT_STEP,
    Ballot,
    Phase,
    StepKey,
    records_of,
    step_texts,
)
from server.game.scoring import Tally, chips, option_of
from server.game.state import RoomState, Round
from server.game.views.stage_types import (
    Bars,
    Clock,
    ContrastView,
    ExampleView,
    FinishedView,
    FixRevealView,
    FixView,
    LobbyView,
    Move,
    PinnedReason,
    PlayedCase,
    RevealView,
    RoomCard,
    RoundSummary,
    SayView,
    StageView,
    Step,
    Story,
    StoryView,
    TakeHome,
    TransferRevealView,
    TransferView,
    Twin,
    Verdict,
    WorkedExample,
)

LOBBY_NAMES = 60
"""The maximum number of names on the screen, which shows the latest to join."""


def player_view(state: RoomState, now_ms: int) -> StageView:
    """Return what all players see."""
    if state.again is not None:
        return _again(state, state.again, LAST_STEP)
    view = _stage(state, now_ms, names=())
    if isinstance(view, FinishedView):
        return replace(view, cases=_played(state))
    return view


def screen_view(state: RoomState, now_ms: int) -> StageView:
    """Return what the projector shows; for an earlier reveal, this is the verdict."""
    if state.again is not None:
        return _again(state, state.again, VERDICT_STEP)
    names = latest_names(state, LOBBY_NAMES) if state.settings.show_names else ()
    return _stage(state, now_ms, names=names)


def _stage(state: RoomState, now_ms: int, names: tuple[str, ...]) -> StageView:
    match state.phase:
        case Phase.LOBBY:
            return LobbyView(room_card(state), state.joined, names)
        case Phase.OPENING:
            return opening.view_of(state, room_card(state))
        case Phase.EXAMPLE:
            return _example(state)
        case Phase.CONTRAST:
            return _contrast(state)
        case Phase.REVEAL:
            return _told(state, state.round, state.step)
        case Phase.SAY:
            case, sentence = state.round.case, saying.shown(state)
            return SayView(room_card(state), story_of(case), verdict_of(case), sentence)
        case Phase.FIX:
            return _fix(state, now_ms)
        case Phase.FIX_REVEAL:
            return _fix_reveal(state)
        case Phase.TRANSFER:
            return _transfer(state, now_ms)
        case Phase.TRANSFER_REVEAL:
            return _transfer_reveal(state)
        case Phase.FINISHED:
            return _finished(state)
        case (
            Phase.READ
            | Phase.VOTE
            | Phase.VOTE_CLOSED
            | Phase.DISCUSS
            | Phase.REVOTE
            | Phase.REVOTE_CLOSED as phase
        ):
            return StoryView(
                room_card(state),
                phase,
                story_of(state.round.case),
                clock(state, state.deadline_ms, now_ms),
                _pinned(state, state.round),
            )


def room_card(state: RoomState) -> RoomCard:
    """Return what all clients may know about the room."""
    settings = state.settings
    return RoomCard(
        code=state.code,
        name=state.name,
        title=state.plan.title,
        round=state.round_index,
        rounds=len(state.rounds),
        score_mode=settings.score_mode,
        chips=chips(settings.score_mode) if settings.confidence else (),
        two_link=settings.two_link,
        teams=settings.teams,
        goal=goal_of(state),
        is_locked=state.is_locked,
        is_rehearsal=settings.simulated,
        sound=settings.sound,
        practice_of=state.round.practice_of if state.phase in ROUND else None,
        is_test=state.flow == "test",
    )


def clock(state: RoomState, deadline_ms: int | None, now_ms: int) -> Clock | None:
    """Return the time left to a deadline, never below 0; None without one."""
    if deadline_ms is None:
        return None
    left_ms = max(0, deadline_ms - state.clock_ms(now_ms))
    if state.stopped_ms is None:
        return Clock(left_ms, deadline_ms)
    return Clock(left_ms, now_ms + left_ms, is_stopped=True)


def story_of(case: Case) -> Story:
    """Return a case as it may be shown before its reveal."""
    return Story(case.title, case.story, case.year, case.shown_kind, case.picture)


def retold(case: Case) -> Story:
    """Return a case whose story has been read, so its picture is not sent again."""
    return replace(story_of(case), picture=None)


def verdict_of(case: Case) -> Verdict:
    """Return which links broke in a case."""
    return Verdict(case.truth.outer, case.truth.inner, case.contested is not None)


def bars(state: RoomState, tally: Tally, ballot: Ballot) -> Bars:
    """Return the bars that show a tally of a ballot."""
    options = tally.options(ballot, two_link=state.settings.two_link)
    return Bars(tally.n, options)


def _worked(case: Case, *, is_new: bool = False) -> WorkedExample:
    texts: dict[str, str] = {}
    for key in STEPS:
        texts |= step_texts(case, key)
    story = story_of(case) if is_new else retold(case)
    return WorkedExample(story, verdict_of(case), texts)


def _pinned(state: RoomState, round_: Round) -> tuple[PinnedReason, ...]:
    """Return the reasons that the host shows, without those of an open ballot."""
    shown = []
    for pin in round_.pins:
        is_open = pin.ballot is state.ballot
        poll = None if is_open else round_.polls.get(pin.ballot)
        vote = poll.votes.get(pin.player) if poll else None
        if vote is not None and vote.reason and pin.player not in state.kicked:
            shown.append(PinnedReason(vote.reason, option_of(vote.answer)))
    return tuple(shown)


def _example(state: RoomState) -> ExampleView:
    index = required(state.example_index, "the example")
    cases, is_closing = state.plan.opening, index >= len(state.plan.opening)
    if is_closing:
        index, cases = index - len(cases), state.plan.closing
    example = _worked(cases[min(index, len(cases) - 1)], is_new=True)
    kinds = course.four_kinds(state) if index == len(cases) else ()
    return ExampleView(room_card(state), index, len(cases), example, is_closing, kinds)


def _contrast(state: RoomState) -> ContrastView:
    beside = required(state.round.planned.contrast, "the contrast case")
    return ContrastView(
        room_card(state),
        retold(state.round.case),
        _worked(beside),
        _pinned(state, state.round),
    )


def _again(state: RoomState, index: int, step: int) -> RevealView:
    """Return the reveal of an earlier round up to a step, to be shown again."""
    card = replace(room_card(state), round=index, practice_of=None)
    told = _told(state, state.rounds[index], step)
    return replace(told, room=card, is_again=True)


def _told(state: RoomState, round_: Round, step: int) -> RevealView:
    """Return the reveal of a round up to a step of its breakdown."""
    is_decided = step >= VERDICT_STEP
    before = count_of(state, round_, Ballot.VOTE)
    after = count_of(state, round_, Ballot.REVOTE)
    return RevealView(
        room=room_card(state),
        story=retold(round_.case),
        step=step,
        last_step=LAST_STEP,
        shown=tuple(
            Step(key, step_texts(round_.case, key)) for key in STEPS[: step + 1]
        ),
        before=bars(state, before.tally if before else Tally(), Ballot.VOTE),
        after=bars(state, after.tally, Ballot.REVOTE) if after else None,
        carried=after.carried if after else 0,
        moves=_moves(round_, state.settings.min_cell),
        cohorts=cohorts_of(state, round_),
        verdict=verdict_of(round_.case) if is_decided else None,
        evidence=round_.case.evidence if is_decided else None,
        pinned=_pinned(state, round_),
        class_mean=mean_so_far(state) if is_decided and state.again is None else None,
    )


def _moves(round_: Round, min_cell: int) -> tuple[Move, ...]:
    """Return the cells of who moved, all of them hidden if one is too small to show.

    The bars before and after are known, so a single hidden cell could be worked out.
    """
    is_shown = all(n >= min_cell for n in round_.moves.values())
    return tuple(
        Move(before, after, n if is_shown else None)
        for (before, after), n in sorted(round_.moves.items())
    )


def _fix(state: RoomState, now_ms: int) -> FixView:
    case = state.round.case
    return FixView(
        room_card(state),
        retold(case),
        verdict_of(case),
        case.fix_question.question,
        tuple(option.text for option in case.fix_question.options),
        clock(state, state.deadline_ms, now_ms),
    )


def _fix_reveal(state: RoomState) -> FixRevealView:
    case = state.round.case
    asked = case.fix_question
    return FixRevealView(
        room_card(state),
        retold(case),
        verdict_of(case),
        asked.question,
        tuple(option.text for option in asked.options),
        asked.right,
        tuple(option.repairs for option in asked.options),
        tuple(option.comment for option in asked.options),
        bars(state, state.round.polls[Ballot.FIX].tally, Ballot.FIX),
    )


def _transfer(state: RoomState, now_ms: int) -> TransferView:
    twin = state.round.case_of(Ballot.TRANSFER)
    return TransferView(
        room_card(state), story_of(twin), clock(state, state.deadline_ms, now_ms)
    )


def _transfer_reveal(state: RoomState) -> TransferRevealView:
    twin = state.round.case_of(Ballot.TRANSFER)
    tally = state.round.polls[Ballot.TRANSFER].tally
    return TransferRevealView(
        room_card(state), _worked(twin), bars(state, tally, Ballot.TRANSFER)
    )


# --- the closing page ----------------------------------------------------------------


LINE: tuple[StepKey, ...] = ("intended", "written", "learned")
"""The steps of the breakdown that are the line on a card."""

PLACES = 3
"""The number of places on the podium. All people who share a place are shown."""


def _finished(state: RoomState) -> FinishedView:
    is_open = any(r.is_counted and not r.is_revealed for r in state.rounds)
    if is_open or state.flow == "test":
        return _closed_test(state)
    mean, min_cell = mean_score(scored(state)), state.settings.min_cell
    best = standings(state) if state.settings.podium else ()
    return FinishedView(
        room=room_card(state),
        rounds=tuple(_summary(state, r) for r in state.rounds if r.is_revealed),
        class_mean=None if mean is None else tenth(mean),
        reached_goal=mean is not None and tenth(mean) >= goal_of(state),
        last_words=last_words(state),
        teams=group_means(teams_of(state), min_cell),
        cohorts=group_means(sites_of(state), min_cell),
        podium=tuple(line for line in best if line.rank <= PLACES),
        reading=state.plan.reading,
        finished_ms=state.finished_ms,
        time_zone=state.settings.time_zone,
        take_home=tuple(
            TakeHome(story_of(case), verdict_of(case), case.breakdown.why)
            for case in state.plan.take_home
        ),
    )


def _closed_test(state: RoomState) -> FinishedView:
    """Return the end of a test: no verdicts, and no figures that depend on them."""
    return FinishedView(
        room=room_card(state),
        rounds=tuple(_summary(state, r) for r in state.rounds if r.is_revealed),
        class_mean=None,
        reached_goal=False,
        teams=(),
        podium=(),
        reading=state.plan.reading,
    )


def _played(state: RoomState) -> tuple[PlayedCase, ...]:
    """Return the part of the cards about each revealed case that all players share."""
    return tuple(
        PlayedCase(
            round=index,
            texts={
                key: text
                for step in LINE
                for key, text in step_texts(round_.case, step).items()
            },
            evidence=round_.case.evidence,
            sources=tuple(source.reading for source in round_.case.sources),
            twin=_twin(round_),
            incidents=records_of(round_.case),
            picture=round_.case.picture,
        )
        for index, round_ in enumerate(state.rounds)
        if round_.is_revealed
    )


def _twin(round_: Round) -> Twin | None:
    if Ballot.TRANSFER not in round_.polls:
        return None
    case = round_.case_of(Ballot.TRANSFER)
    return Twin(story_of(case), verdict_of(case), case.breakdown.why)


def _summary(state: RoomState, round_: Round) -> RoundSummary:
    before = count_of(state, round_, Ballot.VOTE)
    after = count_of(state, round_, Ballot.REVOTE)
    return RoundSummary(
        title=round_.case.title,
        verdict=verdict_of(round_.case),
        n=before.n if before else 0,
        right_before=before.right if before else None,
        right_after=after.right if after else None,
        n_after=after.n if after else None,
    )
