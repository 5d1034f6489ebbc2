"""The `dpt-bench` command: one file a command, found by its name; heavy imports inside the commands."""
