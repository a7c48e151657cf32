"""The faces of the appliance. Nothing is re-exported here, so that the pure parts load without network code."""
