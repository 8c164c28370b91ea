"""The geometry of the charts. `templates/charts.html` draws it as SVG, `static/charts.css` has the colours.

Belongs here: positions and sizes. Does not belong here: colours and fonts (the style sheet); the data of a chart
(`page/graphs.py`, `page/growth.py`).

Horizontal positions of a bar chart are percentages of the plot, vertical ones are pixels. So one drawing fits every
width, text is never scaled, and the edges of bars lie on whole pixels.
"""

from page.charts.axes import DAY_STEPS, MONTH_STEPS, WEEK_STEPS, Period
from page.charts.bars import BarChart, Series, bar_chart
from page.charts.donuts import Donut, Slice, donut

__all__ = [
    "DAY_STEPS",
    "MONTH_STEPS",
    "WEEK_STEPS",
    "BarChart",
    "Donut",
    "Period",
    "Series",
    "Slice",
    "bar_chart",
    "donut",
]
