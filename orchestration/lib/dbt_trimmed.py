"""What dbt does at each start, and for each model and test, that no run needs, left out.

All of it is dbt's inside, of the pinned version, and changes nothing of what it compiles
(`tests/integration/test_dbt_trimmed.py`). Seconds are CPU-seconds of a first run of 100,000 events.
"""

import contextlib
import functools
from pathlib import Path
from typing import Any


def trim_importing() -> None:
    """Have the readers and writers of dbt's 330 classes compiled when one is needed: most never are (1.6 → 1.2 s)."""
    from mashumaro.config import BaseConfig

    BaseConfig.lazy_compilation = True


def trim_loading(templates: Path) -> None:
    """Leave out what costs the more, the more models and tests there are. After dbt's imports, before its work.

    What is compiled of their templates is kept in a folder.
    """
    _tell_only_what_is_heard()
    _compose_what_is_told()
    _type_results_once()
    _trust_what_was_parsed()
    _keep_compiled_templates(templates)


def _tell_only_what_is_heard() -> None:
    """No messages for debugging, some fifteen for each model and test (11.2 → 10.1 s)."""
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class Events(EventManager):
        def fire_event(self, e: Any, level: Any = None, *others: Any, **named: Any) -> None:
            if (level or e.level_tag()) is not EventLevel.DEBUG or type(e).__name__ == "NodeFinished":
                super().fire_event(e, level, *others, **named)

    ctx_set_event_manager(Events())
    # For a message, dbt reads the source of all callers: 0.15 s.
    setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt"))  # noqa: B010


def _compose_what_is_told() -> None:
    """A message becomes one of protobuf's when somebody reads it, who may be nobody (0.3 s)."""
    from dbt_common.events.base_types import BaseEvent

    compose = BaseEvent.__init__

    def remember(self: Any, *unnamed: Any, **named: Any) -> None:
        vars(self)["told"] = (unnamed, named)

    def read(self: Any, name: str) -> Any:
        if told := vars(self).pop("told", None):
            compose(self, *told[0], **told[1])
        return vars(self)["pb_msg"] if name == "pb_msg" else getattr(vars(self)["pb_msg"], name)

    setattr(BaseEvent, "__init__", remember)  # noqa: B010
    setattr(BaseEvent, "__getattr__", read)  # noqa: B010


def _type_results_once() -> None:
    """What tells the types of a result makes two calendars each time it is made; one serves all results (0.3 s)."""
    from dbt_common.clients import agate_helper

    made_once = functools.cache(agate_helper.build_type_tester)

    def build_type_tester(text_columns: Any, string_null_values: Any = ("null", "")) -> Any:
        return made_once(frozenset(text_columns), string_null_values)

    agate_helper.build_type_tester = build_type_tester
    agate_helper.empty_table = functools.cache(agate_helper.empty_table)


def _trust_what_was_parsed() -> None:
    """No check of the form of dbt's own files: who wrote the manifest has made it, of the same files (0.4 s)."""
    from dbt_common.dataclass_schema import dbtClassMixin

    setattr(dbtClassMixin, "validate", classmethod(lambda cls, data: None))  # noqa: B010


def _keep_compiled_templates(folder: Path) -> None:
    """What Jinja makes of a model or a macro is kept, as Python keeps what it makes of a module (0.5 s)."""
    import jinja2
    from dbt.version import __version__ as dbt_version

    folder.mkdir(parents=True, exist_ok=True)
    kept = jinja2.FileSystemBytecodeCache(str(folder), f"{dbt_version}-{jinja2.__version__}-%s")
    compile_template = jinja2.Environment.compile

    def compile_once(self: Any, source: Any, *others: Any, **named: Any) -> Any:
        if others or named or not isinstance(source, str):
            return compile_template(self, source, *others, **named)
        # A template of dbt's has no name: its text is.
        bucket = kept.get_bucket(self, type(self).__name__, source, source)
        if bucket.code is None:
            bucket.code = compile_template(self, source)
            with contextlib.suppress(OSError):  # It only saves time.
                kept.set_bucket(bucket)
        return bucket.code

    setattr(jinja2.Environment, "compile", compile_once)  # noqa: B010
