"""Writes XLSX files cell by cell, also with cells that no spreadsheet program would write."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# Number formats: general, date, date and time, percent, duration, time.
_STYLES = {"general": 0, "date": 1, "instant": 2, "percent": 3, "duration": 4, "time": 5}
_FORMATS = (0, 14, 164, 10, 165, 21)


@dataclass(frozen=True)
class Xml:
    """A cell as XML: attributes besides the place, and what is inside."""

    attributes: str
    inside: str


Value = str | float | bool | date | time | timedelta | Xml | None

NOT_AVAILABLE = Xml('t="e"', "<v>#N/A</v>")


def percent(number: float) -> Xml:
    return Xml(f's="{_STYLES["percent"]}"', f"<v>{number!r}</v>")


def formula(text: str, value: str | float | None) -> Xml:
    """A formula with the value that the program computed last."""
    kind = 't="str"' if isinstance(value, str) else ""
    cached = "" if value is None else f"<v>{escape(value) if isinstance(value, str) else repr(value)}</v>"
    return Xml(kind, f"<f>{escape(text)}</f>{cached}")


def sheet(rows: Iterable[Sequence[Value]], *, first_row: int = 1, first_column: int = 1, is_1904: bool = False) -> str:
    """The rows of a sheet as XML. None is a cell that is not there; a row without cells is not there either."""
    parts = []
    for number, row in enumerate(rows, first_row):
        cells = "".join(
            _cell(f"{column_letters(column)}{number}", value, is_1904)
            for column, value in enumerate(row, first_column)
            if value is not None
        )
        if cells:
            parts.append(f'<row r="{number}">{cells}</row>')
    return "".join(parts)


def workbook(*sheets: str, hidden: Sequence[int] = (), is_1904: bool = False) -> bytes:
    """An XLSX file with these sheets, each as `sheet` returns it. `hidden` are positions, from 0."""
    ids = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name="Sheet{i}" sheetId="{i}" r:id="rId{i}" state="{"hidden" if i - 1 in hidden else "visible"}"/>'
        for i in ids
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in ids
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(is_1904)}"/><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
        '<numFmt numFmtId="165" formatCode="[h]:mm:ss"/></numFmts>'
        f'<cellXfs count="{len(_FORMATS)}">{"".join(f"""<xf numFmtId="{id_}"/>""" for id_ in _FORMATS)}</cellXfs>'
        "</styleSheet>",
    }
    parts |= {
        f"xl/worksheets/sheet{i}.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        for i, rows in enumerate(sheets, 1)
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return packed.getvalue()


def table(rows: Iterable[Sequence[Value]]) -> bytes:
    """An XLSX file with one sheet."""
    return workbook(sheet(rows))


def as_typed(text: str) -> Value:
    """What a spreadsheet program makes of a text when it opens a CSV file: a number or a time, where it is one."""
    # Of a longer number it keeps 15 digits.
    if re.fullmatch("0|-?[1-9][0-9]{0,14}", text):
        return int(text)
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?", text):
        try:
            return datetime.fromisoformat(text) if " " in text else date.fromisoformat(text)
        except ValueError:
            return text
    return text or None


def column_letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _cell(place: str, value: Value, is_1904: bool) -> str:
    match value:
        case Xml():
            attributes, inside = value.attributes, value.inside
        case bool():
            attributes, inside = 't="b"', f"<v>{int(value)}</v>"
        case str():
            attributes, inside = 't="inlineStr"', f'<is><t xml:space="preserve">{escape(value)}</t></is>'
        case int() | float():
            attributes, inside = "", f"<v>{value!r}</v>"
        case _:
            style, serial = _serial(value, is_1904)
            attributes, inside = f's="{_STYLES[style]}"', f"<v>{serial!r}</v>"
    return f'<c r="{place}" {attributes}>{inside}</c>'


def _serial(value: date | time | timedelta | None, is_1904: bool) -> tuple[str, float]:
    day = timedelta(days=1)
    epoch = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30)
    match value:
        case datetime():
            return "instant", (value - epoch) / day
        case date():
            return "date", (datetime.combine(value, time()) - epoch).days
        case timedelta():
            return "duration", value / day
        case time():
            return "time", (datetime.combine(date.min, value) - datetime.min) / day
    raise TypeError(value)
