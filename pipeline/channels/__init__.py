"""Channel mappings: how a vendor's webhook becomes touchpoints, as data.

    sources/<source>.toml -> mapping.py (read, checked) -> compiled.py (made ready) -> applied.py (touchpoints)

`envelope.py` is the request as mappings see it, `signatures.py` says whether its sender is who it claims to be, and
`registry.py` holds the shipped sources and the user's own.
"""
