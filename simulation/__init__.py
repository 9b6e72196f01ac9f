"""The whole shop on one simulated clock: real functions, providers as state machines, every fault. Never packaged."""
