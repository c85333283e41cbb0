"""Alerts: read finished runs, find incidents, and post each to a webhook once when it begins and once when it ends."""
