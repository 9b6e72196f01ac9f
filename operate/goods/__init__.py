"""What is for sale: the products at Stripe that say what they deliver, and the files at Fast.io that they name."""
