"""Label: many labelers, one label with an honest probability."""
