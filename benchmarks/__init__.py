"""What `make bench` runs: generated hours, each stage timed in a process of its own."""
