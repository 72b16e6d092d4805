"""Tables as people have them, mapped to touchpoints; pure but for reading the mapping's file.

A mapping file is parsed and checked (loading, spec, checks), bound to the columns of one file (rows, columns), and then
gives an event for each row (values, conditions, attributes; cells, numbers, times).
"""
