"""Bytes <-> arrays, one file format a module, decode and encode side by side; arrays may be read-only views of them."""
