"""What a way of delivering a digest must do: Slack-compatible addresses are one, mail is the other."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from orchestration.lib.posting import NotSent
from publications.digest.numbers import Digest


@dataclass(frozen=True)
class Recipient:
    """Who gets a digest. The label is shown; the address may be a secret."""

    label: str
    address: SecretStr

    @property
    def key(self) -> str:
        """What stands for the address in the notes."""
        return hashlib.sha256(self.address.get_secret_value().encode()).hexdigest()[:32]


class Channel(Protocol):
    """A way of delivering a digest."""

    @property
    def recipients(self) -> Sequence[Recipient]:
        """All that are configured."""

    def deliver(self, digest: Digest, recipients: Sequence[Recipient]) -> Iterator[tuple[Recipient, NotSent | None]]:
        """Deliver to some of the recipients. Yields each as soon as it is known whether it was taken."""
