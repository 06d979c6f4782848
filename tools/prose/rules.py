"""The reject list (reject.toml), and the textlint configuration generated from it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

HERE = Path(__file__).parent
LIST = HERE / "reject.toml"
LONGEST_SENTENCE = 220
"""Maximum length of a sentence, in characters."""

SENTENCE_LENGTH = "sentence-length"
"""The name of textlint's rule for long sentences."""


class Rule(BaseModel):
    """One pattern, what to write instead, and two example texts that test it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str
    instead: str
    catch: str
    passes: str = Field(alias="pass")
    exact: bool = False
    """Whether the pattern is case-sensitive."""
    cases: bool = False
    """Whether the rule also applies to case files."""

    @property
    def expression(self) -> str:
        """The pattern in the syntax of prh, a JavaScript regular expression."""
        return f"/{self.pattern}/{'' if self.exact else 'i'}"


def load(path: Path = LIST) -> list[Rule]:
    """Return the rules in a reject list, in order."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["rule"]
    return [Rule.model_validate(table) for table in tables]


def configure(folder: Path, rules: list[Rule]) -> Path:
    """Write textlint's configuration for these rules; return its path."""
    listed = [{"pattern": rule.expression, "expected": rule.instead} for rule in rules]
    terms = folder / "reject.yml"  # YAML contains JSON
    terms.write_text(json.dumps({"version": 1, "rules": listed}), encoding="utf-8")
    wanted = {
        "prh": {"rulePaths": [str(terms)]},
        SENTENCE_LENGTH: {"max": LONGEST_SENTENCE},
    }
    path = folder / "textlintrc.json"
    path.write_text(json.dumps({"rules": wanted}), encoding="utf-8")
    return path


def reads_cases(message: str, rules: list[Rule]) -> bool:
    """Return whether the rule of a finding also applies to case files."""
    instead = message.partition(" => ")[2]
    return any(rule.cases for rule in rules if rule.instead == instead)
