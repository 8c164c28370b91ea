"""The page's own words: each that a template asks for is there, in both languages, with the same values to fill in."""

import ast
import re
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest
import yaml  # type: ignore[import-untyped]

from page.texts import Texts

TEXTS: dict[str, dict[str, str]] = yaml.safe_load((files("page") / "texts.yaml").read_text(encoding="utf-8"))
SOURCES = [
    path.read_text(encoding="utf-8")
    for folder in (files("page"), files("page") / "templates")
    for path in folder.iterdir()
    if path.name.endswith((".py", ".html"))
]


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_says_the_same_in_both_languages(key: str) -> None:
    assert TEXTS[key].keys() == {"en", "fr"}
    assert fields(TEXTS[key]["en"]) == fields(TEXTS[key]["fr"])


def test_every_text_that_is_asked_for_is_there() -> None:
    asked = {key for source in SOURCES for key in re.findall(r"\btext\(['\"]([a-z_]+)['\"][,)]", source)}
    assert len(asked) > 50
    assert asked - TEXTS.keys() == set()


def test_no_text_is_left_over() -> None:
    everything = "\n".join(SOURCES)
    prefixes = ("status_", "event_", "about_", "grouped_by_", "error_", "failed_long_")
    left_over = {
        key
        for key in TEXTS
        if not key.startswith(prefixes)
        and not re.search(rf"['\"]{key.removeprefix('invalid_')}['\"]|\b{key}:", everything)
    }
    assert left_over == set()


def test_every_error_has_its_text_with_its_values() -> None:
    calls = [
        node
        for path in Path(str(files("page"))).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    refused = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Refused"]
    assert len(refused) > 20
    for call in refused:
        problem = call.args[1]
        assert isinstance(problem, ast.Constant)
        assert fields(TEXTS["invalid_" + str(problem.value)]["en"]) == {keyword.arg for keyword in call.keywords}
    sentences = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Sentence"]
    keys = {key.value for key in sentences if isinstance(key, ast.Constant)}
    assert len(keys) > 10
    assert keys - TEXTS.keys() == set()


def test_values_are_filled_in() -> None:
    assert Texts("en")("rows_of", first=1, last=100, total="48,112") == "1–100 of 48,112"
    assert Texts("fr")("rows_of", first=1, last=100, total="48 112") == "1–100 sur 48 112"
