"""A local stand-in for Snap's servers. Nothing here is part of what runs in production.

The stand-in keeps its own copy of Snap's rules and names: checking the pipeline against the pipeline's own tables
would prove nothing.
"""
