"""What a buyer does beside paying: corrects the address, buys the same twice."""
