"""
What Fast.io's `error.code` holds: five-digit constants, and numbers drawn at random for each place in its code, which
tell nobody anything. Never the four-digit class numbers of its documents.
"""

# Documented, or read in the vendor's own client.
NOT_A_MEMBER = 10545
KEY_NOT_SCOPED = 10560
FIELD_REFUSED = 10566
"""A field that it names in the text alone."""
SCOPE_ADMIN_REQUIRED = 10767
UNKNOWN_ROUTE = 9992
CONFIRM_MISSING = 130987
NODE_UNKNOWN, NODE_BUSY, NODE_LOST = 133123, 146256, 146950
TOO_MANY_NODES = 115519

# Drawn.
TOKEN = 118342
METHOD = 121907
INVALID = 157203
NOT_FOUND = 164880
NAME_TAKEN = 171266
CONTENTION = 139415
PLAN_FULL = 183011
CREDITS = 129764
POLICY = 102938
ARCHIVED = 148659
GUEST = 192055
