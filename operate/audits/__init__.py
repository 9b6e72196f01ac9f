"""What is, held against what should be."""
