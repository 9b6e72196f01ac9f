"""What SES says of our letters → the ledger, and a person where one failed."""
