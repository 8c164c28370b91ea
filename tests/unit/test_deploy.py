"""The files in `deploy/`: well formed, of keys that exist, open to this machine only, of commands that there are."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]
from dagster._core.instance.config import dagster_instance_config

from orchestration.__main__ import main
from orchestration.lib.secrets import Secrets, without_secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings

DEPLOY = PROJECT_ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))

# Of the Compose specification, what is used here or may be.
TOP_LEVEL = {"name", "services", "volumes", "networks", "configs", "secrets"}
SERVICE = {
    *("build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "init"),
    *("mem_limit", "networks", "ports", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "user"),
    "volumes",
}
HEALTHCHECK = {"test", "interval", "timeout", "retries", "start_period", "disable"}
# Of systemd.exec(5), systemd.service(5), systemd.unit(5) and systemd.kill(5).
UNIT = {
    "Unit": {"Description", "Documentation", "After", "Wants"},
    "Service": {
        *("User", "Group", "WorkingDirectory", "EnvironmentFile", "Environment", "ExecStart", "Restart", "RestartSec"),
        *("TimeoutStopSec", "StateDirectory", "StateDirectoryMode", "UMask", "NoNewPrivileges"),
        *("CapabilityBoundingSet", "ProtectSystem", "ProtectHome", "ProtectClock", "ProtectControlGroups"),
        *("ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "PrivateDevices"),
        *("PrivateTmp", "LockPersonality", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime"),
        *("RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallFilter"),
    },
    "Install": {"WantedBy"},
}


def assert_is_a_command(arguments: list[str]) -> None:
    """That our command line takes them. Raises click's error otherwise."""
    name, *options = arguments
    assert name in main.commands, name
    main.commands[name].make_context(name, options).close()


def test_the_compose_file_has_only_keys_that_compose_knows() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} <= TOP_LEVEL
    for name, service in COMPOSE["services"].items():
        assert service.keys() <= SERVICE, name
        assert service.get("healthcheck", {}).keys() <= HEALTHCHECK, name


def test_what_the_compose_file_refers_to_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in COMPOSE["services"][other]
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
            assert (DEPLOY / f"{service['env_file']}.example").is_file()


def test_every_port_of_the_compose_file_is_open_to_this_machine_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_the_services_of_the_compose_file_and_of_systemd_are_the_same_commands_and_there_are_such() -> None:
    composed = {name: service["command"] for name, service in COMPOSE["services"].items() if "command" in service}
    for command in composed.values():
        assert_is_a_command(command)
    units = [unit_of(path)["Service"]["ExecStart"].split(" -m orchestration ")[1] for path in UNITS]
    for command in units:
        assert_is_a_command(shlex.split(command))
    assert {command.split()[0] for command in units} == composed.keys()


def unit_of(path: Path) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(path.read_text())
    return unit


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_only_keys_that_systemd_knows_and_keeps_its_service_in(path: Path) -> None:
    unit = unit_of(path)
    for section in unit.sections():
        assert set(unit[section]) <= UNIT[section], section
    service = unit["Service"]
    assert service["UMask"] == "0077"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert service["User"] != "root"
    assert "--host" not in service["ExecStart"], "127.0.0.1 is the default"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_itself_finds_nothing_wrong_with_a_unit(path: Path, tmp_path: Path) -> None:
    # It looks for the command and the folder, too.
    unit = path.read_text().replace("/opt/contact-reports/.venv/bin/python", sys.executable)
    (tmp_path / path.name).write_text(unit.replace("/opt/contact-reports", str(PROJECT_ROOT)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / path.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_services_listen_on_this_machine_only_unless_told() -> None:
    hosts = {
        name: option.default
        for name, command in main.commands.items()
        for option in command.params
        if isinstance(option, click.Option) and option.name == "host"
    }
    assert hosts == dict.fromkeys(("ui", "webserver", "receiver"), "127.0.0.1")


def test_every_variable_of_the_environment_file_is_a_setting_a_secret_or_of_aws() -> None:
    lines = (DEPLOY / "contact-reports.env.example").read_text().splitlines()
    variables = {found[1] for line in lines if (found := re.match(r"#?([A-Z_]+)=", line))}
    fields = {*Settings.model_fields, *Secrets.model_fields, "dagster_postgres"}
    assert len(variables) > 8
    for variable in variables:
        assert variable.startswith("AWS_") or variable.removeprefix("CONTACT_REPORTS_").lower() in fields, variable


def test_dagster_takes_the_instance_of_production_which_differs_in_its_storage_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_DAGSTER", "/nowhere")
    monkeypatch.setenv("CONTACT_REPORTS_DAGSTER_POSTGRES", "postgresql://nowhere")
    production, _ = dagster_instance_config(str(DEPLOY))
    single_machine, _ = dagster_instance_config(str(PROJECT_ROOT))
    assert production["storage"].keys() == {"postgres"}
    differing = {key for key in production.keys() | single_machine.keys() if production[key] != single_machine[key]}
    assert differing == {"storage"}
    assert "CONTACT_REPORTS_DAGSTER_POSTGRES" not in without_secrets()


def test_the_image_is_made_of_files_that_are_there_and_not_kept_from_it() -> None:
    ignore = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    paths = [path for paths in copied for path in paths.split()]
    assert len(paths) > 8
    for path in paths:
        assert (PROJECT_ROOT / path).exists(), path
        assert f"!{path}" in ignore, path
    assert ignore[0] == "*", "no data and no secret gets into the image by chance"
