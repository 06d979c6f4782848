"""Labels are challenged at every site: by players at an edge, and by its co-host."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from client import host
from server.federation.remote import RemoteRoom
from server.game.commands import CloseVotes, NextStep, OpenRound, OpenVote, Reveal
from server.game.ids import Challenger, PlayerId
from server.protocol.client_messages import ChallengeLabel
from server.protocol.keys import prove
from server.rooms.ports import Attend, Say
from tests.federation.test_cohost import cohost
from tests.federation.test_sites import sites
from tests.support.arrive import arrive, see
from tests.support.broker import KINDS
from tests.support.gateways import EDGE
from tests.support.room import ROOM, RecordingLink
from tests.support.two_sites import NAMES, Class, two_sites


async def attend_away(at: Class) -> tuple[RemoteRoom, RecordingLink]:
    """Be the co-host of the other site."""
    link, away = RecordingLink(), at._away
    link.audience, link.site = "cohost", EDGE
    key = at._room.key_of("cohost", EDGE)
    away.put(Attend(link=link, nonce="n", proof=prove(key, "cohost", ROOM, "n")))
    await link.get("site_panel")
    return away, link


async def test_people_of_two_sites_challenge_a_label_and_hosts_hear_of_it() -> None:
    async with two_sites() as at:
        away, teacher = await attend_away(at)
        early = ChallengeLabel(ref=1, round=0, text="Too early.")
        at.ask("Bob", early)
        assert (await at.heard("Bob", "refused"))["code"] == "bad_round"
        await at.do(OpenRound(), OpenVote(), CloseVotes(), Reveal())
        await at.steer(NextStep(all=True))
        for ref, name in enumerate(NAMES, 10):
            at.ask(name, ChallengeLabel(ref=ref, round=0, text=f"{name} says no."))
            await at.link(name).get("done", ref=ref)
        at.ask("Bob", ChallengeLabel(ref=20, round=0, text="Bob says maybe."))
        await at.link("Bob").get("done", ref=20)
        at.clock.ms += 5_000  # figures are due
        own = ChallengeLabel(ref=2, round=0, text="So do we.")
        away.put(Say(link=teacher, message=own, stamped_ms=1_000))
        await teacher.get("done", ref=2)
        found = (await at.state()).rounds[0].challenges
        assert found.pop(Challenger(site=EDGE)) == "So do we."
        assert sorted(found.values()) == [
            "Ann says no.",
            "Bob says maybe.",
            "Cem says no.",
            "Dee says no.",
        ]
        assert all(by.player is not None for by in found)
        for name in NAMES:
            link = at.link(name)
            await link.until(
                lambda link=link, name=name: link.of("you")[-1]["you"][
                    "challenge"
                ].startswith(name)
            )
            others = [other for other in NAMES if other != name]
            heard = str(link.messages)
            assert not any(f"{other} says" in heard for other in others)
        for wanted, link, kind in (
            ("So do we.", teacher, "site_panel"),
            ("Dee says no.", at.consoles[0], "panel"),
        ):
            await link.until(
                lambda w=wanted, li=link, k=kind: w in str(li.of(k)[-1]["panel"])
            )
        assert "says no" not in str(teacher.messages)


@pytest.mark.fault
async def test_a_label_is_challenged_at_three_sites_over_a_broker(
    tmp_path: Path,
) -> None:
    async with sites(tmp_path, KINDS[0]) as at, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{at.home.port}"
        teacher = await stack.enter_async_context(host(url, at.room, at.key))
        nodes = (at.home, *at.edges)
        players = [
            await arrive(stack, node.local_url, at.room, f"P{number}")
            for number, node in enumerate(nodes)
        ]
        here = await stack.enter_async_context(cohost(at, at.edges[0]))
        for command in (OpenRound(), OpenVote(), CloseVotes(override=True), Reveal()):
            await teacher.send(command)
        await teacher.send(NextStep(all=True))
        for player in players:
            await see(player, "reveal")
            await player.challenge(f"{player.name} says no.", 0)
        await here.send("challenge_label", ref=7, round=0, text="So do we.")
        await here.until("done", ref=7)
        await teacher.challenge("I do as well.", 0)
        panel = await teacher.until(lambda panel: panel.challenged == len(nodes) + 2)
        assert [(one.by, one.name) for one in panel.challenges][:2] == [
            ("host", ""),
            ("cohost", "lisbon"),
        ]
        state = at.home.directory.live[0].state
        kept = state.rounds[0].challenges
        assert {by.player for by in kept} == {
            None,
            *(PlayerId(player.you.player) for player in players),
        }
