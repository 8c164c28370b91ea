"""The files in `deploy/`: well formed, of keys that exist, open to this machine only, of commands that there are."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]

from orchestration.cli.group import main
from orchestration.lib.problems import Problem
from orchestration.lib.secrets import Secrets, read_page_password, without_secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings

DEPLOY = PROJECT_ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))

# Of the Compose specification, what is used here or may be.
TOP_LEVEL = {"name", "services", "volumes", "networks", "configs", "secrets"}
SERVICE = {
    *("build", "cap_add", "cap_drop", "command", "configs", "depends_on", "env_file", "environment", "healthcheck"),
    *(
        "image",
        "init",
        "mem_limit",
        "networks",
        "pids_limit",
        "ports",
        "read_only",
        "restart",
        "secrets",
        "security_opt",
    ),
    *("stop_grace_period", "tmpfs", "user", "volumes"),
}
HEALTHCHECK = {"test", "interval", "timeout", "retries", "start_period", "disable"}
# Of systemd.exec(5), systemd.service(5), systemd.unit(5), systemd.kill(5) and systemd.resource-control(5).
UNIT = {
    "Unit": {"Description", "Documentation", "After", "Wants"},
    "Service": {
        *("User", "Group", "WorkingDirectory", "EnvironmentFile", "Environment", "ExecStart", "Restart", "RestartSec"),
        *("TimeoutStopSec", "StateDirectory", "StateDirectoryMode", "UMask", "NoNewPrivileges"),
        *("CapabilityBoundingSet", "ProtectSystem", "ProtectHome", "ProtectClock", "ProtectControlGroups"),
        *("MemoryMax", "TasksMax", "InaccessiblePaths"),
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
            for path in service["env_file"]:
                assert (DEPLOY / f"{path}.example").is_file()
        for network in service.get("networks", ()):
            assert network == "default" or network in COMPOSE["networks"]
        for kind in ("configs", "secrets"):
            assert {use["source"] for use in service.get(kind, ())} <= COMPOSE.get(kind, {}).keys()


def test_every_container_is_read_only_bounded_and_watched() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["healthcheck"]["test"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_nobody_but_the_proxy_reaches_the_page_and_the_receiver_reaches_neither_page_nor_state() -> None:
    services = COMPOSE["services"]
    reached = {name: set(service.get("networks", ["default"])) for name, service in services.items()}
    assert "ports" not in services["webserver"]
    assert "ports" not in services["page"]
    assert {name for name, networks in reached.items() if "page" in networks} == {"webserver", "proxy"}
    assert reached["page"] == {"reports"}
    assert {name for name, networks in reached.items() if "reports" in networks} == {"page", "proxy"}
    assert {name for name, networks in reached.items() if "state" in networks} == {"postgres", "webserver", "daemon"}
    assert reached["receiver"] == {"default"}
    assert all(COMPOSE["networks"][name]["internal"] for name in ("page", "reports", "state"))


# The secrets of each service; the landing folder's are of AWS.
SECRETS = {
    "webserver": {"CONTACT_REPORTS_DAGSTER_POSTGRES"},
    "daemon": {
        *("CONTACT_REPORTS_DAGSTER_POSTGRES", "CONTACT_REPORTS_API_TOKENS", "CONTACT_REPORTS_ALERT_URL"),
        *("CONTACT_REPORTS_DIGEST_URL", "CONTACT_REPORTS_DIGEST_SMTP", "CONTACT_REPORTS_MASK_KEY"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    },
    "receiver": {"CONTACT_REPORTS_WEBHOOK_KEYS"},
    "page": {"CONTACT_REPORTS_PAGE_PASSWORD"},
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_service_gets_its_own_secrets_and_no_others(name: str) -> None:
    all_secrets = set().union(*SECRETS.values())
    composed = COMPOSE["services"][name]
    (unit,) = (unit_of(path) for path in UNITS if path.stem == f"contact-reports-{name}")
    units_files = [f"{Path(path).parent.name}/{Path(path).name}" for path in unit["Service"]["EnvironmentFile"]]
    for files, variables in (
        (composed["env_file"], set(composed["environment"])),
        ([path.replace("contact-reports/", "env/") for path in units_files], set()),
    ):
        given = variables.union(*(variables_of(DEPLOY / f"{path}.example") for path in files))
        # The page shows the workspaces that have a token, by their names.
        given -= {"CONTACT_REPORTS_API_TOKENS"} if name == "webserver" else set()
        assert given & all_secrets == SECRETS[name]
    assert '"not here"' in (DEPLOY / "env" / "webserver.env.example").read_text()


def variables_of(path: Path) -> set[str]:
    return {found[1] for line in path.read_text().splitlines() if (found := re.match(r"#?([A-Z_]+)=", line))}


def test_the_report_page_reads_the_publication_through_the_group_and_writes_nothing() -> None:
    composed, service = (
        COMPOSE["services"]["page"],
        unit_of(DEPLOY / "systemd" / "contact-reports-page.service")["Service"],
    )
    owner, group = re.findall(r"--uid (\d+) --gid (\d+)", (DEPLOY / "Dockerfile").read_text())[0]
    user, of_group = composed["user"].split(":")
    assert (user != owner, of_group) == (True, group)
    assert all(volume.endswith(":ro") for volume in composed["volumes"])
    (daemon,) = (unit_of(path)["Service"] for path in UNITS if path.stem.endswith("daemon"))
    assert service["User"] != daemon["User"]
    assert service["Group"] == daemon["Group"]
    assert service.keys().isdisjoint({"StateDirectory", "ReadWritePaths"})
    assert service["PrivateTmp"] == ["yes"]
    common = (DEPLOY / "env" / "common.env.example").read_text().splitlines()
    assert "CONTACT_REPORTS_GROUP_READS=true" in common
    for line in (
        (DEPLOY / "systemd" / "contact-reports-receiver.service").read_text().split("MemoryMax", 1)[1].splitlines()[2:]
    ):
        assert line in (DEPLOY / "systemd" / "contact-reports-page.service").read_text().splitlines(), "less is kept in"


def test_the_example_of_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = re.findall(
        r"^CONTACT_REPORTS_PAGE_PASSWORD=(.*)$", (DEPLOY / "env" / "page.env.example").read_text(), re.M
    )
    monkeypatch.setenv("CONTACT_REPORTS_PAGE_PASSWORD", line)
    with pytest.raises(Problem, match="CONTACT_REPORTS_PAGE_PASSWORD"):
        read_page_password()


def test_every_port_of_the_compose_file_is_open_to_this_machine_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_the_services_of_the_compose_file_and_of_systemd_are_the_same_commands_and_there_are_such() -> None:
    composed = {name: service["command"] for name, service in COMPOSE["services"].items() if "command" in service}
    assert composed.keys() == SECRETS.keys()
    for command in composed.values():
        assert_is_a_command(command)
    units = [unit_of(path)["Service"]["ExecStart"][0].split(" -m orchestration ")[1] for path in UNITS]
    for command in units:
        assert_is_a_command(shlex.split(command))
    assert {command.split()[0] for command in units} == composed.keys()


def unit_of(path: Path) -> dict[str, dict[str, list[str]]]:
    """The values of each key, by section: a key may come several times."""
    unit: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section.setdefault(key, []).append(value)
    return unit


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_only_keys_that_systemd_knows_and_keeps_its_service_in(path: Path) -> None:
    unit = unit_of(path)
    for section, values in unit.items():
        assert set(values) <= UNIT[section], section
    service = unit["Service"]
    assert service["UMask"] == ["0077"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["User"] != ["root"]
    assert service["MemoryMax"]
    assert service["TasksMax"]
    assert "--host" not in service["ExecStart"][0], "127.0.0.1 is the default"


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
    assert hosts == dict.fromkeys(("ui", "webserver", "receiver", "page"), "127.0.0.1")


def test_every_variable_of_the_environment_files_is_a_setting_a_secret_or_of_aws() -> None:
    variables = set().union(*map(variables_of, (DEPLOY / "env").glob("*.example")))
    fields = {*Settings.model_fields, *Secrets.model_fields, "dagster_postgres"}
    assert len(variables) > 8
    for variable in variables:
        assert variable.startswith("AWS_") or variable.removeprefix("CONTACT_REPORTS_").lower() in fields, variable


def test_the_instance_of_production_differs_in_its_storage_only() -> None:
    production = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    single_machine = yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text())
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
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    assert {*project["tool"]["importlinter"]["root_packages"]} <= {*paths}
    assert ignore[0] == "*", "no data and no secret gets into the image by chance"
