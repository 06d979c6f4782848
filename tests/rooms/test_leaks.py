"""No frame tells a secret before its time: all frames to all clients in random games.

How many games depends on the tier, which games on the seed of the run.
"""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from server.game.phases import Phase
from server.protocol.keys import player_token, screen_key
from tests.support.blind import (
    Played,
    Secret,
    play_again,
    play_drawn,
    told_at,
)
from tests.support.cases import SECRET
from tests.support.course import PEOPLE, ROUNDS
from tests.support.figures import Figure
from tests.support.tiers import scaled, seed

GAMES = scaled(25, 80, 500)


@pytest.mark.sampled
@pytest.mark.timeout(3_600)
async def test_twins_with_other_secrets_show_the_same_frames(figure: Figure) -> None:
    first = 1_000 * (seed() - 7)
    await _play(range(first, first + GAMES), figure)


async def _play(seeds: range, figure: Figure) -> None:
    figures: Counter[str] = Counter()
    for number in seeds:
        played = await play_drawn(number)
        figures["games"] += 1
        figures["frames"] += sum(len(played.frames(who)) for who in played.taps)
        figures["revealed"] += _reveals(played)
        _holds_no_key(played, figures)
        _tells_no_text_early(played)
        chance = Random(number)
        for of in ("verdicts", "votes"):
            secret = Secret(of, chance.randrange(ROUNDS), chance.choice(PEOPLE[:3]))  # type: ignore[arg-type] # one of the two
            twin = await play_again(played, secret)
            _are_the_same(number, played, twin, secret, figures)
    told = ", ".join(f"{n:,} {what}" for what, n in figures.items())
    figure(f"leaks: {told}")
    assert figures["verdicts compared"] > 60 * len(seeds)
    assert figures["votes compared"] > 20 * len(seeds)


def _reveals(played: Played) -> int:
    return len({r for phase, r, _ in played.states if phase is Phase.REVEAL})


def _are_the_same(
    seed: int, one: Played, other: Played, secret: Secret, figures: Counter[str]
) -> None:
    """Check that clients who must not know the secret were sent nothing else."""
    told = told_at(one, secret)
    assert one.states[:told] == other.states[:told], f"seed {seed}: {secret}"
    people = (
        ("screen", *PEOPLE) if secret.of == "verdicts" else ("screen", secret.spared)
    )
    for who in people:
        mine, theirs = one.frames(who), other.frames(who)
        n = one.lengths[told].get(who, 0) if told < len(one.lengths) else len(mine)
        figures[f"{secret.of} compared"] += n
        for index, (a, b) in enumerate(zip(mine[:n], theirs[:n], strict=False)):
            a, b = _without_choices(a), _without_choices(b)
            assert a == b, f"seed {seed}, {secret}, {who}, frame {index}:\n{a!r}\n{b!r}"
        assert len(theirs) >= n


def _without_choices(frame: bytes) -> bytes:
    """Leave out the reasons that the host has chosen to show, and the groups.

    Groups follow from votes. That votes cannot be inferred from them is for
    tests/game/test_groups.py: some are of one mind, and a phone never says why.
    """
    frame = re.sub(rb'"talk":\{[^}]*\}', b"", frame)
    return re.sub(rb'"pinned":\[[^\]]*\]', b"", frame)


def _holds_no_key(played: Played, figures: Counter[str]) -> None:
    """Hold that keys are never sent, and tokens only to their owners."""
    keys = (SECRET.encode(), screen_key(SECRET).encode())
    tokens = {
        player.name: player_token(SECRET, player.id).encode()
        for player in played.room.state.players.values()
    }
    for who in played.taps:
        for frame in played.frames(who):
            figures["searched"] += 1
            assert not any(key in frame for key in keys), f"{who}: {frame!r}"
            for name, token in tokens.items():
                assert name == who or token not in frame, f"{who} has {name}'s token"


def _tells_no_text_early(played: Played) -> None:
    """Hold that texts of a case come with its reveal, and reasons when pinned.

    Not while the vote is open in which they were given.
    """
    for index in range(len(played.states) - 1):
        seen = {round_ for phase, round_, _ in played.states[: index + 1]
                if phase not in _BEFORE}  # fmt: skip
        for who in ("screen", *PEOPLE):
            frames = played.frames(who)
            start = played.lengths[index].get(who, 0)
            end = played.lengths[index + 1].get(who, 0)
            for frame in frames[start:end]:
                text = frame.decode()
                early = set(map(int, re.findall(r"SECRET-case-(\d+)-", text))) - seen
                assert not early, f"{who} learned of round {early}: {text}"
                reasons = set(re.findall(r"REASON-(\w+)-", text)) - {who}
                assert not reasons or '"pinned"' in text, f"{who}: {text}"
                assert not reasons or '"phase":"vote"' not in text, f"{who}: {text}"


_BEFORE = {
    Phase.LOBBY, Phase.EXAMPLE, Phase.READ, Phase.VOTE, Phase.VOTE_CLOSED,
    Phase.CONTRAST, Phase.DISCUSS, Phase.REVOTE, Phase.REVOTE_CLOSED,
}  # fmt: skip
