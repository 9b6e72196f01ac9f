"""What buyers are written: a purchase, the seller and what happened → a letter."""
