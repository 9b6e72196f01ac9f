"""How buyers see the shop: who sells (`shop.toml`), the languages they are spoken to in, and what is said in them."""
