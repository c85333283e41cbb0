"""Alerts: each incident of finished runs is posted to a webhook once when it begins and once when it ends."""
