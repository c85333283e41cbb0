"""The sandbox: a local stand-in for Snap's servers. Production does not use it.

It has its own copy of Snap's rules and names: checking the pipeline against its own tables would prove nothing.
"""
