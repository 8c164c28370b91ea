"""Tokens, keys and passwords, and the address alerts go to: read from the environment, shown nowhere."""

import os
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from orchestration.lib.problems import Problem

_EXAMPLES = {
    "CONTACT_REPORTS_API_TOKENS": 'JSON: {"<workspace_id>": "<token>"}',
    "CONTACT_REPORTS_WEBHOOK_KEYS": 'JSON: {"<workspace_id>": ["<signing key>", "<another one>"]}',
    "CONTACT_REPORTS_ALERT_URL": "an address such as https://hooks.example.com/<token>",
    "CONTACT_REPORTS_PAGE_PASSWORD": "a text in UTF-8",  # pragma: allowlist secret
}

_PASSWORD_LENGTH = 12

# Read by Dagster itself, from deploy/dagster.yaml.
_DATABASE = "CONTACT_REPORTS_DAGSTER_POSTGRES"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_address(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/\S*)?", value.get_secret_value(), re.ASCII):
        raise ValueError("alert_url is no address")
    return value


class Secrets(BaseSettings):
    """By workspace: the API's token, and the signing keys of its webhooks (one each, and two while one is replaced).

    The address of alerts is a secret: anyone who knows it can post there. The password of the report page lets anyone
    read the publication.
    """

    model_config = SettingsConfigDict(
        env_prefix="CONTACT_REPORTS_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    api_tokens: dict[str, SecretStr] = {}
    webhook_keys: dict[str, Annotated[list[SecretStr], BeforeValidator(_as_list)]] = {}
    alert_url: Annotated[SecretStr, AfterValidator(_as_address)] | None = None
    page_password: SecretStr | None = None


def read_secrets() -> Secrets:
    """Read and check the environment. Raises Problem naming the variable and the form it has, never its value."""
    try:
        secrets = Secrets()
    except (ValidationError, SettingsError) as error:
        fields = ("api_tokens", "webhook_keys", "alert_url", "page_password")
        variable = f"CONTACT_REPORTS_{next(field for field in fields if field in str(error)).upper()}"
        raise Problem(f"{variable} cannot be read", f"It is {_EXAMPLES[variable]}") from None
    for variable, values in {
        "CONTACT_REPORTS_API_TOKENS": {workspace: [token] for workspace, token in secrets.api_tokens.items()},
        "CONTACT_REPORTS_WEBHOOK_KEYS": secrets.webhook_keys,
    }.items():
        for workspace, keys in values.items():
            # With an empty key anybody's signature would be good.
            if not keys or any(not key.get_secret_value().strip() for key in keys):
                raise Problem(
                    f"{variable} has an empty value for workspace {workspace!r}", "Give it one, or leave it out"
                )
    return secrets


def read_page_password() -> bytes | None:
    """The password of the report page; None if none is set. Raises Problem for one that is empty or short.

    An empty variable is not the same as none here: it may be the work of a script that did not find the password.
    """
    password = read_secrets().page_password
    if password is None and "CONTACT_REPORTS_PAGE_PASSWORD" not in os.environ:
        return None
    if password is None or len(password.get_secret_value().strip()) < _PASSWORD_LENGTH:
        raise Problem(
            f"CONTACT_REPORTS_PAGE_PASSWORD has fewer than {_PASSWORD_LENGTH} characters",
            "Set it to a long random text, such as one of `openssl rand -hex 16`, or remove it",
        )
    return password.get_secret_value().encode()


def without_secrets() -> dict[str, str]:
    """The environment for a child process that has no need of tokens, keys and passwords."""
    return {name: value for name, value in os.environ.items() if name not in {*_EXAMPLES, _DATABASE}}
