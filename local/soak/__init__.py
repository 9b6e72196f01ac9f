"""Many orders at once while everything fails."""
