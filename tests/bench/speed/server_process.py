"""A subject as the driver sees it: a process that is started, told, and ended."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.speed.machine import cpu_s, memory_bytes

ROOT = Path(__file__).parents[3]
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server that is measured."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.ready["port"])

    @property
    def cpu_s(self) -> float:
        """CPU seconds it has used so far."""
        return cpu_s(self.process.pid)

    @property
    def memory_bytes(self) -> int:
        """Bytes of it that are in memory."""
        return memory_bytes(self.process.pid)

    def tell(self, order: str) -> None:
        """Tell it something on its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(order.encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def subject(kind: str, core: int, **options: object) -> Iterator[Subject]:
    """Run a subject on a core for as long as the block lasts."""
    words = [f"{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.speed.subjects", kind, str(core), *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the subject '{kind}' did not start; see above")
        yield Subject(process, json.loads(line))
    finally:
        process.stdin.close()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
