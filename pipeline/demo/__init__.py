"""The whole product on one machine, on a simulated company whose leavers are known.

Read in this order: `run` (the demo from beginning to end), `post` (events over HTTP), `proof` (the numbers, and what
they must satisfy), `judgement` (who was found) and `report` (how it looks).
"""
