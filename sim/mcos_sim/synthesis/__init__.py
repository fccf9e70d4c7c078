"""What the channel costs and how fast it is, measured with open synthesis tools."""
