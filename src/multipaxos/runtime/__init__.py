"""What runs the protocol on a real machine: sockets, disk, clock, configuration."""
