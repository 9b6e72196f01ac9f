"""What `paidshare doctor` looks at: each check is one question, and says how to mend what it finds."""
