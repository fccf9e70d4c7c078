"""Generated conversations, as arrays: apart from traces, since it is compiled."""
