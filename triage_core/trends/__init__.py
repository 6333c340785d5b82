"""Questions over time: how much comes in, how fast it is answered, what waits, what was known already.

Like queries.py: reads only, one function a question, SQL beside it. Every answer comes from one pass over the
cases, and each of its counts has a list behind it (counted.py). Weeks start on Monday, UTC.
"""

from triage_core.trends.agreed import Agreed as Agreed
from triage_core.trends.agreed import agreed as agreed
from triage_core.trends.emerging import Growth as Growth
from triage_core.trends.emerging import emerging as emerging
from triage_core.trends.flow import AGES as AGES
from triage_core.trends.flow import age_bounds as age_bounds
from triage_core.trends.flow import backlog as backlog
from triage_core.trends.flow import clocks_by_week as clocks_by_week
from triage_core.trends.flow import closures as closures
from triage_core.trends.flow import come_back as come_back
from triage_core.trends.flow import embargo_ends as embargo_ends
from triage_core.trends.flow import fixes_by_severity as fixes_by_severity
from triage_core.trends.flow import known_by_week as known_by_week
from triage_core.trends.head import OF_ARRIVAL as OF_ARRIVAL
from triage_core.trends.head import Clock as Clock
from triage_core.trends.head import Figures as Figures
from triage_core.trends.head import Kept as Kept
from triage_core.trends.head import figures as figures
from triage_core.trends.head import fixes as fixes
from triage_core.trends.sources import sources as sources
from triage_core.trends.volume import Dimension as Dimension
from triage_core.trends.volume import Volume as Volume
from triage_core.trends.volume import total_by_week as total_by_week
from triage_core.trends.volume import volume as volume
from triage_core.trends.window import THEN as THEN
from triage_core.trends.window import WEEK as WEEK
from triage_core.trends.window import Month as Month
from triage_core.trends.window import Window as Window
