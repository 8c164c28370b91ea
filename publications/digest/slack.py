"""Delivers a digest to Slack-compatible addresses."""

from collections.abc import Iterator, Sequence

from pydantic import SecretStr

from orchestration.lib.posting import NotSent, post
from publications.digest.channels import Recipient
from publications.digest.messages import chat_message
from publications.digest.numbers import Digest


class Slack:
    """The addresses of CONTACT_REPORTS_DIGEST_URL. They are secret, and are called by their place in it."""

    def __init__(self, addresses: Sequence[SecretStr]) -> None:
        self.recipients = [
            Recipient(f"address {number} of CONTACT_REPORTS_DIGEST_URL", address)
            for number, address in enumerate(addresses, 1)
        ]

    def deliver(self, digest: Digest, recipients: Sequence[Recipient]) -> Iterator[tuple[Recipient, NotSent | None]]:
        message = chat_message(digest)
        for recipient in recipients:
            yield recipient, post(recipient.address, message)
