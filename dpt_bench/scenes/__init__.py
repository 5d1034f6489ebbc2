"""The procedural sample world: a numpy ray caster of scenes that carry the monocular cues a network learns from."""
