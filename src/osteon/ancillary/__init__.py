"""Which running trials could teach about bone if bone end points were added, at what cost, and what it is worth.

Kiernan, Davies & Stanford (2017) made the point that stem-cell trials run in other diseases; this part ranks them.
"""

from osteon.ancillary.rank import Ranking, rank

__all__ = ["Ranking", "rank"]
