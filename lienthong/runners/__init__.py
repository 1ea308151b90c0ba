"""Applies one step of the work to nodes, each runner with its own tool."""
