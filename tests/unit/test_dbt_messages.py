"""What dbt says of a failure, on one line: the cause is in it, and all the rest in a log."""

import json
from pathlib import Path

from orchestration.lib.dbt.results import failures, keep_messages

CONTRACT = """Compilation Error in model data_status (models/reports/data_status.sql)
  This model has an enforced contract that failed.
  Please ensure the name, data_type, and number of columns in your contract match ...

  | column_name      | definition_type | contract_type | mismatch_reason    |
  | ---------------- | --------------- | ------------- | ------------------ |
  | records_standing | BIGINT          | VARCHAR       | data type mismatch |

  > in macro assert_columns_equivalent (macros/relations/column/columns_spec_ddl.sql)
  > called by macro get_assert_columns_equivalent (macros/relations/column/columns_spec_ddl.sql)"""

SEED = """Runtime Error in seed event_sources (seeds/event_sources.csv)
  Conversion Error: CSV Error on Line: 3
  Original Line: contact_import,Contact Import,Importation,perhaps,false,false,false
  Error when converting column "added". Could not convert string "perhaps" to 'BOOLEAN'

  Column added is being converted as type BOOLEAN
  This type was either manually set or derived from an existing table.

    file = /srv/contact-reports/seeds/event_sources.csv
    delimiter = , (Set By User)"""


def results(target: Path, *messages: str) -> Path:
    """A folder with the results of a build in which models failed."""
    failed = [
        {"unique_id": f"model.contact_reports.m{number}", "status": "error", "message": message, "failures": None}
        for number, message in enumerate(messages)
    ]
    (target / "run_results.json").write_text(json.dumps({"results": failed}))
    return target


def test_a_broken_contract_is_told_with_the_column_and_both_types(tmp_path: Path) -> None:
    said = failures(results(tmp_path, CONTRACT))
    assert "(models/reports/data_status.sql)" in said
    assert "records_standing; BIGINT; VARCHAR; data type mismatch" in said
    assert "---" not in said and "> in macro" not in said and "\n" not in said


def test_a_broken_seed_is_told_with_its_file_its_line_and_the_value(tmp_path: Path) -> None:
    said = failures(results(tmp_path, SEED))
    for cause in ("(seeds/event_sources.csv)", "Line: 3", '"added"', '"perhaps"', "BOOLEAN"):
        assert cause in said
    assert said.endswith("to 'BOOLEAN'"), "the options of the reader are no cause"


def test_a_message_without_end_is_cut_and_kept_whole_in_a_log(tmp_path: Path) -> None:
    message = "Runtime Error in model m\n" + "a long story, " * 1000 + "in the end"
    said = failures(results(tmp_path, message, message, CONTRACT, "the fourth"))
    assert len(said) < 3000
    assert said.endswith(" and 1 more")
    log = tmp_path / "logs" / "dbt_failures.log"
    keep_messages(tmp_path, log)
    kept = log.read_text()
    assert message in kept and CONTRACT in kept and "the fourth" in kept
    assert "model.contact_reports.m3" in kept
