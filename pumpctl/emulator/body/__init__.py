"""The world: fluids as they really are, whatever the pump believes of them."""
