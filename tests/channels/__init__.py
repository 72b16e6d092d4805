"""What tests of channel mappings share."""
