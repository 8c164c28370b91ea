"""What several of these tests look at: the sample, published once."""

import pytest

from tests.harness import Pipeline


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline with the sample published, which no test changes."""
    pipeline = Pipeline(tmp_path_factory.mktemp("sample"))
    pipeline.landing.rmdir()
    pipeline.run()
    return pipeline
