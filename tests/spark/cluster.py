"""A cluster of Spark on loopback: a master, two workers with a core each, and a Spark Connect server."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

_HOME = Path(pyspark.__file__).parent
_PATIENCE_SECONDS = 120


@dataclass
class Cluster:
    """The processes of the cluster. Each is the leader of a group, which has the executors that a worker starts."""

    folder: Path
    master: int
    pages: int
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"spark://127.0.0.1:{self.master}"

    def alive(self) -> int:
        """The workers that the master knows to be alive."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.pages}/json/") as answer:
            return int(json.load(answer)["aliveworkers"])

    def tasks_of(self, worker: int) -> int:
        """The tasks that a worker's executors have begun, by their logs."""
        logs = (self.folder / f"worker-{worker}").glob("app-*/*/stderr")
        return sum(log.read_text(errors="replace").count("Running task ") for log in logs)

    def kill_worker(self, worker: int) -> None:
        """Kill a worker with its executors."""
        os.killpg(self.workers[worker].pid, signal.SIGKILL)

    def start_connect(self) -> str:
        """Start a Spark Connect server on the master. Returns its address."""
        port = free_port()
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": port,
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": self.folder / "warehouse",
            "spark.driver.memory": "2g",
            "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={self.folder}/metastore",
        }
        configured = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        self.others.append(
            self._start(
                "connect",
                *("spark-submit", "--master", self.url, *configured),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"),
            )
        )
        wait_for(lambda: answers(port), "Spark Connect")
        return f"sc://127.0.0.1:{port}"

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [str(_HOME / "bin" / command[0]), *command[1:]],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(_HOME)},
                start_new_session=True,
            )

    def start(self) -> None:
        java = ("spark-class", "org.apache.spark.deploy")
        ports = ("--host", "127.0.0.1", "--port", str(self.master), "--webui-port", str(self.pages))
        self.others.append(self._start("master", java[0], f"{java[1]}.master.Master", *ports))
        wait_for(lambda: answers(self.pages), "the master")
        for number in range(2):
            limits = ("--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / f"worker-{number}"))
            place = ("--host", "127.0.0.1", "--webui-port", "0")
            self.workers.append(
                self._start(f"worker-{number}", java[0], f"{java[1]}.worker.Worker", *place, *limits, self.url)
            )
        wait_for(lambda: self.alive() == 2, "two workers")


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that ends with the block."""
    cluster = Cluster(folder, free_port(), free_port())
    try:
        cluster.start()
        yield cluster
    finally:
        for process in (*cluster.others, *cluster.workers):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_for(condition: Callable[[], bool], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait until a condition holds. Fails the test after a while."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.5)
