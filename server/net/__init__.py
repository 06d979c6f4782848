"""Sockets, limits and pages: everything that touches the network, on one port."""
