"""Backbones, one a file: an image in, four taps out; the file name is what `ModelSpec.backbone` says."""
