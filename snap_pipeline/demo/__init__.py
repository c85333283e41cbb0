"""A sample shop and the traffic that it lands: what `snap-pipeline demo` shows, and what tests and benchmarks use."""
