"""The names that other projects give the same weights, one project a file; files are recognised by keys and shapes."""
