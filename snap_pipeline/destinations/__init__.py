"""Destinations: their store, their encrypted access tokens, the checks of their fields, and their health.

Events are sent to them by `delivery/`, through Snap's API in `capi/`.
"""
