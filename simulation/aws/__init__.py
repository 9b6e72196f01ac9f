"""AWS's services as small state machines, spoken to as boto3's clients are."""
