"""What the torch cores share."""
