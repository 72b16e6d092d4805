SELECT name, value FROM parameters FINAL
