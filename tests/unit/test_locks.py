"""The locks have the versions that pyproject.toml pins. Otherwise a raised pin would be merged without being tested."""

import tomllib

import pytest
from packaging.requirements import Requirement

from orchestration.lib.settings import PROJECT_ROOT

PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
PINS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-dev.lock": PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"],
    "requirements-bench.lock": PROJECT["dependency-groups"]["bench"],
}


@pytest.mark.parametrize("lock", PINS)
def test_a_lock_has_every_pinned_version(lock: str) -> None:
    locked = {line.split()[0] for line in (PROJECT_ROOT / lock).read_text().splitlines() if line[:1].isalnum()}
    pinned = {f"{pin.name}{pin.specifier}" for pin in map(Requirement, PINS[lock])}
    assert pinned <= locked, f"{pinned - locked} are not in {lock}: run `make lock`"
