"""Raw dataset trees <-> samples: one module for each layout, found by its file name."""

from dpt_bench.readers._contract import ITEM_FIELDS, Reader, Row, load_reader

__all__ = ["ITEM_FIELDS", "Reader", "Row", "load_reader"]
