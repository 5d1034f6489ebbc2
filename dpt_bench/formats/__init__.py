"""Bytes <-> arrays, one file format a module, decode and encode side by side."""
