"""What the tests of the connector share: a workspace behind a stand-in of the API that is really served."""

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from orchestration.lib.respond_io.client import Client, Patience
from orchestration.sample.stand_in import StandIn, Workspace

TOKEN = "tok-0d5c1e7a-not-to-be-seen"
Connect = Callable[..., Client]


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[StandIn, str]]:
    """One server for all tests: to start and stop one takes a third of a second."""
    api = StandIn({})
    with api.served() as url:
        yield api, url


@pytest.fixture
def api(served: tuple[StandIn, str], workspace: Workspace) -> StandIn:
    """The API as it is when nobody has asked for anything else."""
    vars(served[0]).update(vars(StandIn({TOKEN: workspace})))
    return served[0]


@pytest.fixture
def connect(api: StandIn, served: tuple[StandIn, str]) -> Iterator[Connect]:
    """Makes clients of the stand-in, with the patience of a test."""
    clients = []

    def connect(
        *, token: str = TOKEN, rate: float = 1e6, for_an_answer: float = 5.0, workspace_id: str = "acme"
    ) -> Client:
        patience = Patience(
            attempts=4, first_wait=0.01, longest_wait=0.02, longest_retry_after=1.5, for_an_answer=for_an_answer
        )
        clients.append(Client(workspace_id, SecretStr(token), served[1], rate=rate, patience=patience))
        return clients[-1]

    yield connect
    for client in clients:
        client.__exit__()
