"""The benchmarks of `make bench`: generated hours, each stage timed in a process of its own."""
