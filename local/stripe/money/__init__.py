"""Payments, and what becomes of their money: refunds, disputes, credit notes."""
