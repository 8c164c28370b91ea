"""What dbt does at each start, and for each model and test, that no run needs, left out.

All of it is dbt's inside, of the pinned version, and changes nothing of what it compiles
(`tests/integration/test_dbt_trimmed.py`). Seconds are CPU-seconds.
"""

from typing import Any


def trim_importing() -> None:
    """Have the readers and writers of dbt's 330 classes compiled when one is needed: most never are (1.6 → 1.2 s)."""
    from mashumaro.config import BaseConfig

    BaseConfig.lazy_compilation = True


def trim_loading() -> None:
    """Have dbt put together no messages that nobody hears, some fifteen for each model and test (11.2 → 10.1 s), nor
    read the source of all callers to name who set a flag (0.15 s)."""
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class Events(EventManager):
        def fire_event(self, e: Any, level: Any = None, *others: Any, **named: Any) -> None:
            if (level or e.level_tag()) is not EventLevel.DEBUG or type(e).__name__ == "NodeFinished":
                super().fire_event(e, level, *others, **named)

    ctx_set_event_manager(Events())
    setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt"))  # noqa: B010
