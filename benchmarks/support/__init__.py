"""What several benchmarks need: the processes, and records to send."""
