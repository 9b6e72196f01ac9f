"""Every five minutes: what no event told of is asked for, and shares that are over are tidied."""
