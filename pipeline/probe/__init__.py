"""What happens inside a network while it trains."""
