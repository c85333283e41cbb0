"""Who receives: destinations, their encrypted access tokens, and what a destination must look like to be saved.

What is sent to them is `delivery/`; how Snap is spoken to is `capi/`.
"""
