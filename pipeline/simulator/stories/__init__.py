"""What happens to people. A story writes into a diary from a moment on and returns when it was over."""
