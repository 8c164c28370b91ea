"""The values of the page that documents the reports API."""

import json
from typing import Any

from orchestration.lib.export.files import FORMATS
from page.answers import STATUSES
from page.catalog import catalog
from page.endpoints import ENDPOINTS, parameters_of
from page.examples import example_answer, example_query
from page.openapi import INTRODUCTION, PAGES, allowed_values, columns_of
from page.publication import Reader


def described_endpoints(reader: Reader) -> dict[str, Any]:
    """The values of the documentation page."""
    known = catalog(reader)
    endpoints = []
    for endpoint in ENDPOINTS:
        columns = columns_of(reader, endpoint)
        parameters = [
            {"name": parameter.name, "description": parameter.description, "allowed": allowed_values(parameter, known)}
            for parameter in parameters_of(endpoint, known, columns)
        ]
        if endpoint.is_log:
            parameters += [{"name": page["name"], "description": page["description"], "allowed": []} for page in PAGES]
        query = example_query(endpoint, known)
        endpoints.append(
            {
                "address": endpoint.address,
                "anchor": endpoint.path.replace("/", "-"),
                "summary": endpoint.summary,
                "relation": endpoint.relation,
                "parameters": parameters,
                "examples": [
                    f"{endpoint.address}{ending}{query}" for ending in ("", *(f".{kind}" for kind in FORMATS))
                ],
                "answer": json.dumps(example_answer(endpoint, columns, known), ensure_ascii=False, indent=2),
            }
        )
    return {"introduction": INTRODUCTION.strip().split("\n\n"), "endpoints": endpoints, "statuses": STATUSES}
