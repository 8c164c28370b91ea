"""The geometry of the report page's charts. `templates/charts.html` writes it as SVG, `static/charts.css` colours it.

Belongs here: what is drawn where. Does not belong here: colours and fonts, which are the style sheet's; what a chart
shows, which `page/report.py` and `page/growth.py` decide.

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
