"""Snap's Conversions API and nothing else: the wire formats, the HTTP client, what its answers mean, its rate limit.

What is sent when, and what is remembered of it, is `delivery/`.
"""
