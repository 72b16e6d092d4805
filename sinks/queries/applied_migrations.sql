SELECT name, toString(checksum) FROM schema_migrations FINAL
