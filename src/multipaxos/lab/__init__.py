"""The lab: runs to look at, step by step, and to change; explained, and shown in a browser."""
