"""The drug library at this station: in force, installed, signed."""
