"""Convex bodies, patterns and lamps to light on a grid of rays: the ray caster, which knows of no dataset."""
