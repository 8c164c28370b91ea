"""The workspaces, labels, components and table functions of the publication. They are read from it, not listed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from page.publication import Reader, Row

ENGLISH, FRENCH = "en", "fr"


@dataclass(frozen=True)
class Component:
    """A metric, chart or log of the report page: a row of `reports.report_components`."""

    key: str
    titles: Mapping[str, str]  # by language
    block: str
    kind: str
    view: str
    function: str
    event_types: Sequence[str]


@dataclass(frozen=True)
class Catalog:
    """The ids, keys and reports that requests may name, read once for each publication."""

    workspaces: Mapping[str, Row]  # by id, in the order of their names
    components: Sequence[Component]
    labels: Mapping[tuple[str, str], Mapping[str, str]]  # by subject and key, then by language
    functions: Mapping[str, Sequence[str]]  # the parameters of each table function, by its name with the schema
    reasons: Mapping[str, Mapping[str, str]]  # by filter and language: why it does not apply to some components

    def keys(self, subject: str) -> list[str]:
        """The keys of a subject, such as `source`, in the order of the page."""
        return [key for labelled, key in self.labels if labelled == subject]

    def label(self, subject: str, key: str, language: str) -> str:
        """The label of a key; the key itself if it has none."""
        labels = self.labels.get((subject, key))
        return labels[language] if labels else key


def catalog(reader: Reader) -> Catalog:
    """The catalog of the publication that is read."""
    return reader.once_per_publication("catalog", _read)


def _read(reader: Reader) -> Catalog:
    workspaces = reader.rows("from reports.workspaces order by workspace_name, workspace_id")
    components = reader.rows("from reports.report_components order by position")
    labels = reader.rows("from reports.report_labels")
    functions = reader.rows(
        """
        select schema_name || '.' || function_name as name, parameters
        from duckdb_functions()
        where database_name = current_database() and schema_name = 'reports' and function_type = 'table_macro'"""
    )
    reasons = reader.rows(
        "select distinct filter, reason, reason_fr from reports.report_filters where not is_applicable"
    )
    return Catalog(
        workspaces={row["workspace_id"]: row for row in workspaces},
        components=[
            Component(
                key=row["key"],
                titles={ENGLISH: row["title"], FRENCH: row["title_fr"]},
                block=row["block"],
                kind=row["kind"],
                view=row["view"],
                function=row["table_function"],
                event_types=row["event_types"],
            )
            for row in components
        ],
        labels={(row["subject"], row["key"]): {ENGLISH: row["label"], FRENCH: row["label_fr"]} for row in labels},
        functions={row["name"]: row["parameters"] for row in functions},
        reasons={row["filter"]: {ENGLISH: row["reason"], FRENCH: row["reason_fr"]} for row in reasons},
    )
