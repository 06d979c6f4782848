"""The actor: what leaves it, and when; what happens when the journal cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.game.commands import (
    CloseVotes,
    Kick,
    Lock,
    NextStep,
    OpenRound,
    OpenVote,
    Reveal,
    Revote,
)
from server.game.engine import replay
from server.game.errors import Refused
from server.game.settings import RoomSettings
from server.protocol.client_messages import GetRoster, Ping
from server.rooms.ports import Attend, Return, Say
from server.rooms.room import RETRY_MS
from tests.support.room import ROOM, FailingStore, RecordingLink, Table, table


async def voting(seat: Table) -> RecordingLink:
    host = await seat.attend("host")
    await seat.do(host, OpenRound(), OpenVote())
    return host


async def test_nothing_is_recorded_before_the_append_returns() -> None:
    store = FailingStore()
    async with table(store=store) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        store.gate.clear()
        store.appended.clear()
        seat.vote(link)
        await store.appended.wait()
        await asyncio.sleep(0)
        assert link.of("recorded") == []
        store.gate.set()
        recorded = await link.get("recorded")
        assert recorded["answer"]["label"] == "outer"
        events = await store.load(ROOM)
        assert events[-1].type == "vote_cast"


async def test_two_consoles_that_press_next_step_together_show_one_step() -> None:
    async with table() as seat:
        first, second = await seat.attend("host"), await seat.attend("host")
        await seat.do(first, OpenRound(), OpenVote(), CloseVotes(), Reveal())
        view = await second.get("host_view")
        place = {"round": 0, "phase": "reveal", "step": 0, "plan": 0}
        assert view["view"]["place"] == place
        seen = seat.room.state.place
        for link in (first, second):
            step = NextStep(ref=99, seen=seen)
            seat.room.put(Say(link=link, message=step, stamped_ms=seat.clock.ms))
        await first.get("done", ref=99)
        assert (await second.get("refused", ref=99))["code"] == "stale"
        assert seat.room.state.step == 1


async def test_a_failed_commit_rebuilds_the_room_reports_it_and_continues() -> None:
    store = FailingStore()
    async with table(store=store) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        before = replay(await store.load(ROOM))
        store.is_away = True
        seat.vote(link)
        refused = await link.get("refused")
        assert refused["code"] == "storage_unavailable"
        assert (refused["ballot"], refused["counter"]) == ("vote", 1)
        notice = await link.get("notice")
        assert notice["code"] == "storage_unavailable"
        assert seat.room.state == before
        seat.vote(link, counter=2)
        assert (await link.get("refused", counter=2))["code"] == "storage_unavailable"
        store.is_away = False
        await link.get("notice", code="storage_back")
        seat.vote(link, "inner", counter=3)
        assert (await link.get("recorded"))["answer"]["label"] == "inner"
        assert seat.room.state == replay(await store.load(ROOM))


async def test_an_append_that_was_stored_and_reported_as_failed_is_shown() -> None:
    store = FailingStore()
    async with table(store=store) as t:
        host = await t.attend("host")
        _, ada = await t.join("Ada")
        await t.do(host, OpenRound())
        store.is_unsure = True
        t.room.put(Say(link=host, message=OpenVote(ref=77), stamped_ms=0))
        await host.get("refused", ref=77, code="storage_unavailable")
        store.is_unsure = False
        shown = await ada.get("view", version=t.room.state.version)
        assert shown["view"]["phase"] == "vote"
        seen = await host.get("host_view", version=t.room.state.version)
        assert seen["view"]["place"]["phase"] == "vote"


async def test_a_journal_that_cannot_even_be_read_refuses_all_until_it_can() -> None:
    store = FailingStore()
    async with table(store=store) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        store.is_away = store.is_blind = True
        seat.vote(link)
        await link.get("refused", code="storage_unavailable")
        store.is_away = store.is_blind = False
        await link.get("notice", code="storage_back")
        seat.vote(link, counter=2)
        await link.get("recorded", counter=2)


async def test_a_room_that_cannot_read_its_journal_wakes_only_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Figures that are due stay due; they do not wake it again and again."""
    store, loop = FailingStore(), asyncio.get_running_loop()
    async with table(store=store) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        seat.vote(link)
        await link.get("recorded")
        store.is_away = store.is_blind = True
        seat.clock.ms += 60_000
        waits: list[float] = []
        later = loop.call_later

        def noted(wait_s: float, *rest: Any, **more: Any) -> asyncio.TimerHandle:
            waits.append(wait_s)
            return later(wait_s, *rest, **more)

        seat.vote(link, counter=2)
        await link.get("refused", counter=2)
        monkeypatch.setattr(loop, "call_later", noted)
        seat.vote(link, counter=3)
        await link.get("refused", counter=3)
        seat.vote(link, counter=4)
        await link.get("refused", counter=4)
        monkeypatch.undo()
        assert waits
        assert set(waits) == {RETRY_MS / 1000}


async def test_a_repeated_vote_is_acknowledged_again_and_counted_once() -> None:
    async with table() as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        for _ in range(3):
            seat.vote(link)
        await link.until(lambda: len(link.of("recorded")) == 3)
        events = await seat.store.load(ROOM)
        assert [event.type for event in events].count("vote_cast") == 1


async def test_a_second_tab_takes_over_and_the_first_stays_away() -> None:
    async with table() as seat:
        ann, first = await seat.join("ann")
        await voting(seat)
        second = await seat.back(ann)
        bye = await first.get("bye")
        assert (bye["code"], bye["come_back"]) == ("taken_over", False)
        seat.leave(first)  # the old socket closes after the new one is in
        seat.vote(second)
        await second.get("recorded")
        assert not second.is_parted
        progress = await second.get("progress", answered=0)
        assert progress["expected"] == 1


async def test_a_newcomer_sees_the_phase_immediately() -> None:
    async with table() as seat:
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote())
        _, link = await seat.join("ann")
        kinds = [m["type"] for m in link.messages]
        assert kinds[:4] == ["welcome", "view", "progress", "you"]
        assert link.messages[1]["view"]["phase"] == "vote"


async def test_own_results_are_pushed_to_each_with_the_verdict() -> None:
    async with table() as seat:
        host = await seat.attend("host")
        people = [await seat.join(f"n{i}") for i in range(30)]
        await seat.do(host, OpenRound(), OpenVote())
        for _, link in people:
            seat.vote(link)
        await seat.do(host, CloseVotes(), Reveal())
        assert not any(_points(link) for _, link in people)
        await seat.do(host, NextStep(all=True))
        for _, link in people:
            await link.until(lambda link=link: _points(link) == 96)


def _points(link: RecordingLink) -> float:
    return float(link.of("you")[-1]["you"]["points"])


async def test_progress_is_coalesced_however_many_vote() -> None:
    async with table() as seat:
        host = await seat.attend("host")
        people = [await seat.join(f"n{i}") for i in range(100)]
        await seat.do(host, OpenRound(), OpenVote())
        seat.clock.ms += 2_000
        before = [len(link.messages) for _, link in people]
        for _, link in people:
            seat.vote(link)
        for _, link in people:
            await link.get("recorded")
        after = [len(link.messages) for _, link in people]
        heard = [new - old for new, old in zip(after, before, strict=True)]
        assert max(heard) <= 3  # recorded, and at most two rounds of progress
        assert len(host.of("panel")) < 20


async def test_a_vote_for_a_phase_that_is_over_is_refused_and_not_counted() -> None:
    async with table() as seat:
        _, link = await seat.join("ann")
        host = await seat.attend("host")
        await seat.do(host, OpenRound(), OpenVote(), CloseVotes(), Revote())
        seat.clock.ms += 5_000
        seat.vote(link, ballot="vote")
        assert (await link.get("refused"))["code"] == "phase_closed"
        poll = seat.room.state.poll
        assert poll is not None
        assert poll.votes == {}


async def test_kicked_players_hear_bye_and_their_token_is_worthless() -> None:
    async with table() as seat:
        ann, link = await seat.join("ann")
        host = await seat.attend("host")
        await seat.do(host, Kick(player=seat.room.player_of(ann)))
        assert (await link.get("bye"))["code"] == "kicked"
        assert link.is_parted
        with pytest.raises(Refused, match="kicked"):
            seat.room.player_of(ann)


async def test_a_room_taken_up_again_has_the_same_state_and_deadline() -> None:
    store = FailingStore()
    async with table(store=store) as seat:
        ann, link = await seat.join("ann")
        await voting(seat)
        seat.vote(link)
        await link.get("recorded")
        before = seat.room.state
    async with table(store=store) as seat:
        again = await seat.back(ann)
        assert seat.room.state == before
        mine = (await again.get("you"))["you"]
        assert mine["votes"][0]["answer"]["label"] == "outer"


async def test_auto_close_closes_when_all_have_answered() -> None:
    async with table(RoomSettings(auto_close=True)) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        seat.vote(link)
        await link.get("recorded", counter=1)
        seat.clock.ms += 4_000
        seat.vote(link, counter=2)
        await link.get("recorded", counter=2)
        seat.room.put(Say(link=link, message=Ping(ref=1), stamped_ms=seat.clock.ms))
        await link.until(lambda: link.of("progress")[-1]["closes_in_ms"] == 5_000)
        seat.clock.ms += 5_000
        seat.room.put(Say(link=link, message=Ping(ref=2), stamped_ms=seat.clock.ms))
        await link.until(lambda: link.of("view")[-1]["view"]["phase"] == "vote_closed")


async def test_an_internal_error_is_contained() -> None:
    store = FailingStore()
    async with table(store=store) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        poll = seat.room.state.poll
        assert poll is not None
        poll.votes = None  # type: ignore[assignment] # break an invariant
        seat.vote(link)
        assert (await link.get("refused"))["code"] == "internal"
        seat.vote(link, counter=2)
        await link.get("recorded", counter=2)


async def test_a_wrong_key_stays_wrong_when_the_commit_beside_it_fails() -> None:
    store = FailingStore()
    async with table(store=store) as seat:
        _, link = await seat.join("ann")
        await voting(seat)
        store.is_away = True
        thief, stranger = RecordingLink(), RecordingLink()
        thief.audience = "host"
        seat.vote(link)  # these three share one step, whose commit fails
        seat.room.put(Attend(link=thief, nonce="nonce", proof="00" * 32))
        seat.room.put(Return(link=stranger, token="absent.00"))
        await link.get("refused", code="storage_unavailable")
        assert (await thief.get("refused"))["code"] == "wrong_proof"
        assert (await stranger.get("refused"))["code"] == "bad_token"
        assert not thief.is_welcome
        assert not stranger.is_welcome
        store.is_away = False
        await link.get("notice", code="storage_back")
        seat.vote(link, counter=2)
        await link.get("recorded", counter=2)


async def test_a_player_who_returns_in_the_step_that_kicks_them_is_shown_out() -> None:
    async with table() as seat:
        token, first = await seat.join("ann")
        host = await seat.attend("host")
        again = RecordingLink()
        kick = Kick(player=seat.room.player_of(token), ref=77)
        seat.room.put(Return(link=again, token=token))
        seat.room.put(Say(link=host, message=kick, stamped_ms=seat.clock.ms))
        await host.get("done", ref=77)
        await again.until(lambda: again.is_parted)
        assert first.is_parted
        _, bob = await seat.join("bob")
        assert bob.is_welcome


async def test_a_player_cannot_command_whatever_the_session_lets_through() -> None:
    async with table() as seat:
        _, link = await seat.join("ann")
        for message in (Lock(ref=1), GetRoster(ref=2)):
            seat.room.put(Say(link=link, message=message, stamped_ms=seat.clock.ms))
            refused = await link.get("refused", ref=message.ref)
            assert refused["code"] == "not_allowed"
        assert not seat.room.state.is_locked
        assert link.of("roster") == []


async def test_a_vote_costs_other_players_no_work() -> None:
    async with table() as seat:
        people = [await seat.join(f"n{i}") for i in range(20)]
        await voting(seat)
        told = [len(link.of("you")) for _, link in people]
        seat.vote(people[0][1])
        await people[0][1].get("recorded")
        assert [len(link.of("you")) for _, link in people] == told
