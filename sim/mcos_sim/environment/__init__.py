"""What stands around a channel: requesters on one side and a memory on the other, compiled."""
