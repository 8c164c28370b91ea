"""Spark in the process of the tests: a configuration for small tables, and a JVM that compiles little."""

import os
from pathlib import Path

os.environ["SPARK_CONF_DIR"] = str(Path(__file__).with_name("conf"))
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m")
os.environ["CONTACT_REPORTS_SPARK"] = "local[2]"
