"""A site's raw events, delivered to the Snapchat Conversions API so that each conversion is counted once."""
