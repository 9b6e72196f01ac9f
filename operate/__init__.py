"""What an operator does to a deployed stack: `python -m operate --help`. Never packaged."""
