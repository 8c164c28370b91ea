"""What dbt does at each start, and for each model and test, that no run needs, left out.

All of it is dbt's inside, of the pinned version, and changes nothing of what it compiles
(`tests/integration/test_dbt_trimmed.py`). Seconds are CPU-seconds.
"""

from collections.abc import Iterator
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


def trim_building() -> None:
    """Have dbt find out once which of 620 macros a name means, not twice for each model and test (3.2 → 1 ms)."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder

    class Namespace(MacroNamespace):
        """Where dbt's own looks through five dictionaries for a name, here the first that has it was found before."""

        def __init__(self, *namespaces: Any) -> None:
            super().__init__(*namespaces)
            self._found: dict[str, Any] = {}
            for names in reversed(list(self._search_order())):
                self._found |= names

        def __iter__(self) -> Iterator[str]:
            return iter(self._found)

        def __len__(self) -> int:
            return len(self._found)

        def __getitem__(self, name: str) -> Any:
            return self._found[name]

    built_by_dbt = MacroNamespaceBuilder.build_namespace
    known: dict[tuple[int, str], MacroNamespace] = {}

    def build_namespace(self: Any, macros_by_package: Any, context: dict[str, Any]) -> Namespace:
        # dbt makes the dictionary once for a manifest, which lives as long as its process.
        key = (id(macros_by_package), self.search_package)
        if key not in known:
            known[key] = built_by_dbt(self, macros_by_package, {})
        macros = (macro for package in macros_by_package.values() for macro in package.values())
        bound = {macro.unique_id: MacroGenerator(macro, context, self.node, self.thread_ctx) for macro in macros}

        def bind(names: dict[str, Any]) -> dict[str, Any]:
            return {name: bound[generator.macro.unique_id] for name, generator in names.items()}

        return Namespace(
            bind(known[key].global_namespace),
            bind(known[key].local_namespace),
            bind(known[key].global_project_namespace),
            {package: bind(names) for package, names in known[key].packages.items()},
        )

    setattr(MacroNamespaceBuilder, "build_namespace", build_namespace)  # noqa: B010
