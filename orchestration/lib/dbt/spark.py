"""What Spark needs before a run can use it, and what its errors mean to an operator."""

import contextlib
import errno
import fcntl
import importlib.util
import os
import re
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings, without_parameters

# A cluster on the same network answers in milliseconds.
_ANSWER_SECONDS = 5
_PORT_OF_SPARK_CONNECT = 15002


def require_spark(settings: Settings) -> None:
    """Raise Problem when the models are to run on Spark, and this machine cannot start or reach it."""
    require_installed(settings)
    if settings.target != "spark":
        return
    if _is_connect(settings) or settings.spark.startswith("spark://"):
        _require_answer(settings.spark)
    if not _is_connect(settings):
        _require_free_metastore(settings)


def require_installed(settings: Settings) -> None:
    """Raise Problem when the models are to run on Spark, and this machine lacks what that needs. Asks no server."""
    if settings.target != "spark":
        return
    if importlib.util.find_spec("pyspark") is None:
        raise Problem(
            "CONTACT_REPORTS_TARGET='spark', and pyspark is not installed beside this Python",
            "`make run` installs requirements-spark.lock into .venv-spark and runs there, or set it to 'duckdb'",
        )
    if re.search(r"[\\*?{}\[\]]", str(settings.spark_data)):
        raise Problem(
            f"Spark cannot keep tables in {settings.spark_data}: it takes the path for a pattern",
            "Set CONTACT_REPORTS_SPARK_FOLDER to a folder without any of \\ * ? { } [ ]",
        )
    if not _is_connect(settings) and not _has_java():
        raise Problem(
            "Spark needs Java, and there is none",
            "Install a JRE of version 17 or later, or set JAVA_HOME to one (Debian: openjdk-17-jre-headless)",
        )


def _is_connect(settings: Settings) -> bool:
    return settings.spark.startswith("sc://")


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which(str(Path(home) / "bin" / "java") if home else "java") is not None


def _require_answer(url: str) -> None:
    place = urlsplit(url)
    try:
        address = place.hostname or "", place.port or _PORT_OF_SPARK_CONNECT
        socket.create_connection(address, timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        what = "Spark Connect server" if place.scheme == "sc" else "Spark master"
        raise Problem(
            f"The {what} at {without_parameters(url)} cannot be reached: {error.strerror or error}",
            "Start it, or correct CONTACT_REPORTS_SPARK",
        ) from None


def _require_free_metastore(settings: Settings) -> None:
    # Derby's own lock. Spark reports a lock that another process has by a stack trace that does not name it.
    lock = settings.spark_data / "metastore" / "metastore_db" / "dbex.lck"
    with contextlib.suppress(FileNotFoundError), lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise Problem(
                    f"The metastore {settings.spark_data / 'metastore'} is in use by another process",
                    "Close that process, or give Spark a metastore that several can use (docs/scaling.md)",
                ) from None


def problem_of_spark(settings: Settings, message: str) -> Problem | None:
    """The problem behind an error of Spark that is not of the models; None when there is none."""
    if "java.lang.OutOfMemoryError" in message:
        driver = "spark.driver.memory of the server" if _is_connect(settings) else "CONTACT_REPORTS_SPARK_MEMORY"
        return Problem(
            f"Spark at {without_parameters(settings.spark)} has not enough memory",
            f"Raise {driver} for the driver, or spark.executor.memory for the executors of a cluster",
        )
    # What the run itself sees, Spark in its process sees too.
    if settings.spark.startswith("local"):
        return None
    missing = re.search(
        r"(?:FILE_NOT_EXIST|PATH_NOT_FOUND|FileNotFoundException)\S*.*?(" + re.escape(str(settings.raw)) + r"\S*)",
        message,
        re.DOTALL,
    )
    if missing:
        return Problem(
            f"Spark at {without_parameters(settings.spark)} cannot see the raw zone: "
            f"{missing[1].rstrip('.,')} does not exist there",
            "Put CONTACT_REPORTS_DATA on a file system that every machine of the cluster mounts at the same path",
        )
    return None
