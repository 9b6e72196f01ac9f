"""AWS without boto3, whose weight Receive's cold start does not bear (docs/decisions/0043)."""
