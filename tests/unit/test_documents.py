"""What the pages name is there: links and their anchors, files, commands with their options, make targets, settings."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from orchestration.cli.group import main
from orchestration.lib.secrets import Secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings, environment

_LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=PROJECT_ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout
PAGES = [PROJECT_ROOT / name for name in _LISTED.splitlines() if (PROJECT_ROOT / name).is_file()]
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
# What `make docs` writes into the data folder, and what an operator makes.
NOT_IN_THE_REPOSITORY = {"docs/", "docs/index.html", "deploy/proxy"}
# Read by Dagster, from deploy/dagster.yaml.
OF_DAGSTER = {"CONTACT_REPORTS_DAGSTER_POSTGRES"}

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", flags=re.DOTALL | re.MULTILINE)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """The targets of a page's links and pictures, but for those of other sites."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them; of equal headings the later ones are numbered."""
    found: dict[str, int] = {}
    for title in re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return {f"{anchor}-{i}" if i else anchor for anchor, count in found.items() for i in range(count + 1)}


def commands(page: Path, module: str) -> list[list[str]]:
    """The arguments of each call of a module on a page, up to what is no option of it. `…` stands for any value."""
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    return [
        shlex.split(call, comments=True) for call in re.findall(rf"-m {module} ((?:(?!&&|[`;|)\n]).)+)", text) if call
    ]


def test_there_are_pages() -> None:
    names = {str(page.relative_to(PROJECT_ROOT)) for page in PAGES}
    assert {"README.md", "docs/contract.md", "docs/decisions/README.md", "deploy/README.md"} <= names
    assert sum(len(links(page)) for page in PAGES) > 100


@each_page
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for path, _, anchor in (link.partition("#") for link in links(page)):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


# The changelog names what former versions had.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(
        r"`((?:models|macros|seeds|orchestration|tests|docs|deploy|benchmarks|[.]github)/[\w/.-]*)`", page.read_text()
    )
    for path in named:
        assert (PROJECT_ROOT / path).exists() or path in NOT_IN_THE_REPOSITORY, path


@each_page
def test_every_make_target_that_a_page_names_is_in_the_makefile(page: Path) -> None:
    for target in set(re.findall(r"(?:`|^ *)make ([a-z][\w-]*)", page.read_text(), flags=re.MULTILINE)):
        assert f"\n{target}:" in MAKEFILE, target


@each_page
def test_every_command_that_a_page_names_is_taken_with_its_options(page: Path) -> None:
    for name, *arguments in commands(page, "orchestration"):
        assert name in main.commands, name
        options = {option for parameter in main.commands[name].params for option in parameter.opts} | {"--help"}
        assert {argument for argument in arguments if argument.startswith("--")} <= options, (name, arguments)


@each_page
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    known = {f"CONTACT_REPORTS_{name.upper()}" for name in (*Settings.model_fields, *Secrets.model_fields)}
    known |= {*environment(Settings()), *OF_DAGSTER}  # type: ignore[call-arg]
    assert set(re.findall(r"CONTACT_REPORTS_[A-Z_]*[A-Z]", page.read_text())) <= known


@each_page
def test_every_piece_of_json_on_a_page_can_be_parsed(page: Path) -> None:
    for _, language, text in _FENCE.findall(page.read_text()):
        if language == "json":
            assert [json.loads(line) for line in text.splitlines()]
