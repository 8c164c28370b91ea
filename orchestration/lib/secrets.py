"""Tokens, keys and passwords, and the addresses of alerts and digests: read from the environment, shown nowhere."""

import os
import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from orchestration.lib.problems import Problem

_EXAMPLES = {
    "CONTACT_REPORTS_API_TOKENS": 'JSON: {"<workspace_id>": "<token>"}',
    "CONTACT_REPORTS_WEBHOOK_KEYS": 'JSON: {"<workspace_id>": ["<signing key>", "<another one>"]}',
    "CONTACT_REPORTS_ALERT_URL": "an address such as https://hooks.example.com/<token>",
    "CONTACT_REPORTS_DIGEST_URL": "an address such as https://hooks.example.com/<token>; of several, spaces between",
    "CONTACT_REPORTS_DIGEST_SMTP": "smtps://<user>:<password>@<host> (TLS), smtp://<user>:<password>@<host> (STARTTLS) "
    "or smtp+plain://<host> (neither TLS nor password), with :<port> where it is another. User and password are ASCII, "
    "with %40 for @, %2F for / and so on",
    # pragma: allowlist nextline secret
    "CONTACT_REPORTS_POSTGRES": "an address such as postgresql://user:password@host:5432/database",
    "CONTACT_REPORTS_PAGE_PASSWORD": "a text in UTF-8",  # pragma: allowlist secret
    "CONTACT_REPORTS_MASK_KEY": "a long random text in UTF-8",  # pragma: allowlist secret
}

_PASSWORD_LENGTH = 12
# Half the bytes of SHA-256, as hex.
_MASK_KEY_LENGTH = 32

# Read by Dagster itself, from deploy/dagster.yaml.
_DATABASE = "CONTACT_REPORTS_DAGSTER_POSTGRES"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_address(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/\S*)?", value.get_secret_value(), re.ASCII):
        raise ValueError("it is no address")
    return value


def _split(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _as_mail_server(value: SecretStr) -> SecretStr:
    credentials, host = r"([^\s/?#@:]+:[^\s/?#@:]+@)?", r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?"
    form = rf"(smtps?://{credentials}|smtp[+]plain://){host}"
    if not re.fullmatch(form, value.get_secret_value(), re.ASCII) or not unquote(value.get_secret_value()).isascii():
        raise ValueError("it is no mail server")
    _ = urlsplit(value.get_secret_value()).port  # Raises ValueError above 65535.
    return value


def _as_postgresql(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"postgres(ql)?://\S+", value.get_secret_value(), re.ASCII):
        raise ValueError("postgres is no address")
    return value


class Secrets(BaseSettings):
    """By workspace: the API's token, and the signing keys of its webhooks (one each, and two while one is replaced).

    The addresses of alerts and digests are secrets: anyone who knows one can post there. The address of the mail server
    has its password in it, and so has the address of PostgreSQL. The password of the report page lets anyone read the
    publication. Whoever has the key of the masked copy can find out whom a pseudonym stands for.
    """

    model_config = SettingsConfigDict(
        env_prefix="CONTACT_REPORTS_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    api_tokens: dict[str, SecretStr] = {}
    webhook_keys: dict[str, Annotated[list[SecretStr], BeforeValidator(_as_list)]] = {}
    alert_url: Annotated[SecretStr, AfterValidator(_as_address)] | None = None
    digest_url: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_as_address)], ...], NoDecode, BeforeValidator(_split)
    ] = ()
    digest_smtp: Annotated[SecretStr, AfterValidator(_as_mail_server)] | None = None
    page_password: SecretStr | None = None
    mask_key: SecretStr | None = None
    postgres: Annotated[SecretStr, AfterValidator(_as_postgresql)] | None = None


def read_secrets() -> Secrets:
    """Read and check the environment. Raises Problem naming the variable and the form it has, never its value."""
    try:
        secrets = Secrets()
    except (ValidationError, SettingsError) as error:
        variable = f"CONTACT_REPORTS_{next(field for field in Secrets.model_fields if field in str(error)).upper()}"
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


def read_mask_key() -> bytes | None:
    """The key of the masked copy; None if none is set. Raises Problem for one that is short: it could be guessed."""
    key = read_secrets().mask_key
    if key is None:
        return None
    if len(key.get_secret_value().strip()) < _MASK_KEY_LENGTH:
        raise Problem(
            f"CONTACT_REPORTS_MASK_KEY has fewer than {_MASK_KEY_LENGTH} characters",
            "Set it to a random text, such as one of `openssl rand -hex 32`, and keep it: another one gives other "
            "pseudonyms",
        )
    return key.get_secret_value().strip().encode()


def without_secrets() -> dict[str, str]:
    """The environment for a child process that has no need of tokens, keys and passwords."""
    return {name: value for name, value in os.environ.items() if name not in {*_EXAMPLES, _DATABASE}}
