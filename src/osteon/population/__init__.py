"""Many people: who they are, their runs on threads or a cluster, and what is kept of them."""
