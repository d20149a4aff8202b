"""How fast pumpctl is, beside its peers; see `__main__`."""
