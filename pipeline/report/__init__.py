"""The report: one self-contained HTML page of what the views say, and the same tables as CSV.

An answer's way: `asking` (the views, read-only) -> `sections` (each a table, and charts out of the same rows) -> `page`
(HTML with everything inlined) -> `writing`. Only `plotly_script` needs the extra `report`.
"""
