"""Delivery of a site's raw events to the Snapchat Conversions API, so that each conversion is counted once."""
