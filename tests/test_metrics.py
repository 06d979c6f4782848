"""Figures: bounded labels, everything there at zero, and what counting costs."""

from __future__ import annotations

import time

import pytest

from server.game.errors import REFUSALS
from server.metrics import EVENTS, MESSAGES, Metrics
from server.protocol.client_messages import ALLOWED
from tests.support.figures import Figure
from tests.support.server import hall
from tests.support.wire import wire


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """Return one figure."""
    found = metrics.registry.get_sample_value(f"twogaps_{name}", labels)
    assert found is not None, name
    return found


def test_every_series_is_there_from_the_start_at_zero() -> None:
    metrics = Metrics()
    for code in REFUSALS:
        assert value(metrics, "refusals_total", code=code) == 0
    for kind in MESSAGES:
        assert value(metrics, "messages_total", type=kind) == 0
    assert "vote_cast" in EVENTS
    assert frozenset().union(*ALLOWED.values()) < frozenset(MESSAGES)


def test_two_servers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.sockets_opened.inc()
    assert value(other, "sockets_opened_total") == 0


async def test_a_game_is_counted_without_names() -> None:
    async with hall() as at, wire(at.port) as host, wire(at.port) as ann:
        await host.prove("host", at.room, at.key)
        await ann.join(at.room, "Annegret")
        await host.do("open_round", "open_vote")
        assert (await ann.vote(reason="Because of the turbo."))["type"] == "recorded"
        await ann.send("finish")
        await ann.until("refused", code="not_allowed")
        await ann.ws.send("rubbish")
        await ann.until("refused", code="bad_message")
        metrics = at.server.metrics
        assert value(metrics, "events_total", type="vote_cast") == 1
        assert value(metrics, "events_total", type="player_joined") == 1
        assert value(metrics, "messages_total", type="vote") == 1
        assert value(metrics, "messages_total", type="unreadable") == 1
        assert value(metrics, "refusals_total", code="not_allowed") == 1
        assert value(metrics, "vote_seconds_count") == 1
        assert value(metrics, "people", role="player") == 1
        assert value(metrics, "people", role="host") == 1
        assert value(metrics, "sockets") == 2
        text = metrics.text().decode()
        assert at.room not in text
        assert "Annegret" not in text
        assert "turbo" not in text


@pytest.mark.load
def test_what_a_vote_costs_to_count(figure: Figure) -> None:
    """Printed, not judged: counting beside the pydantic decoding of one vote."""
    metrics, n = Metrics(), 20_000
    started = time.perf_counter()
    for _ in range(n):
        metrics.messages["vote"].inc()
        metrics.vote_seconds.observe(0.004)
    spent_us = (time.perf_counter() - started) / n * 1e6
    figure(f"counting a vote: {spent_us:.2f} us")
    assert value(metrics, "vote_seconds_count") == n
