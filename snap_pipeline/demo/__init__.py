"""A sample shop and its traffic, used by `snap-pipeline demo`, tests and benchmarks."""
