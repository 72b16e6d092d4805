"""A simulated company: people with habits, stories that cross channels, and some who are about to leave.

Read in this order: `company` (the whole in one function), `people` and `segments` (who there is), `fates`
(what becomes of them), `lives` (from a person to touchpoints), `stories` (what happens to people), `delivery`
(how it reaches us) and `mistakes` (what must be refused). It models what people do and knows nothing of how
anybody scores it.
"""

from pipeline.simulator.company import Company, simulate

__all__ = ["Company", "simulate"]
