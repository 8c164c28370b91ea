"""What is left out of dbt leaves out nothing of what it compiles."""

import shutil

import pytest

from orchestration.lib.dbt import project as dbt
from orchestration.lib.settings import export_settings
from orchestration.lib.warehouse import build as warehouse
from tests.harness import Pipeline, dbt_invoke


@pytest.mark.slow
def test_a_dbt_that_does_less_compiles_each_model_and_test_to_what_dbt_as_it_is_does(sample: Pipeline) -> None:
    export_settings(sample.settings)
    warehouse.prepare(sample.settings, warehouse.plan(sample.settings, rebuild=True))
    folder, templates = sample.settings.dbt_target / "compiled", sample.settings.dbt_target / "templates"

    def compiled() -> dict[str, str]:
        found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.sql")}
        shutil.rmtree(folder)
        return found

    def compile_with_less() -> dict[str, str]:
        with dbt.start(["compile", "--full-refresh"]) as process:
            said = process.stdout.read() if process.stdout else b""
        assert process.returncode == 0, said
        return compiled()

    compiled()
    assert dbt_invoke("compile", "--full-refresh").success
    expected = compiled()
    assert len(expected) > 120
    shutil.rmtree(templates, ignore_errors=True)
    assert compile_with_less() == expected, "with no template kept"
    assert compile_with_less() == expected, "with all of them kept"
    for number, kept in enumerate(sorted(templates.iterdir())):
        kept.unlink()
        if number % 2:
            kept.write_bytes(b"\0" * 100)
        else:
            kept.mkdir()
    assert compile_with_less() == expected, "with those that are kept damaged, or in the way"
