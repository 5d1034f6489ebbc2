"""The words of the project as types, from errors to the catalog; what all layers need: threads, processes, progress."""
