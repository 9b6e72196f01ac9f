"""Programs and servers that live as long as the laptop's system does."""
