"""The Fast.io stand-in: as strict as what is documented."""
