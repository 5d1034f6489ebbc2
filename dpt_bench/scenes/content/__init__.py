"""What the worlds are made of: things, rooms, streets, landmarks, open country, and how a camera is held in them."""
