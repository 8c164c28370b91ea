"""Generated requests to the reports API, valid and invalid: every response is one of the OpenAPI document."""

import time
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from page.endpoints import ENDPOINTS
from tests.harness import Pipeline
from tests.integration.page.serving import api_of

pytestmark = pytest.mark.slow

SECONDS = 30.0
# Every response has to pass these checks. 503 and 504 are failures here, although the document has them.
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_whatever_is_asked_the_answer_is_one_that_the_document_has(sample: Pipeline, tmp_path: Path) -> None:
    with api_of(sample.settings.published, tmp_path / "exports") as app:
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        operations = [operation.ok() for operation in schema.get_all_operations() if isinstance(operation, Ok)]
        assert len(operations) == 4 * len(ENDPOINTS)
        statuses = set()
        deadline = time.monotonic() + SECONDS
        for operation in operations:
            for mode in GenerationMode:
                # An endpoint without parameters has only one request.
                if mode is GenerationMode.NEGATIVE and not operation.query:
                    continue

                @settings(
                    max_examples=4,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def ask(case: Any) -> None:
                    if time.monotonic() < deadline:
                        answer = case.call()
                        statuses.add(answer.status_code)
                        case.validate_response(answer, checks=CHECKS)

                ask()
        assert {200, 422} <= statuses
        assert not list((tmp_path / "exports").iterdir())
