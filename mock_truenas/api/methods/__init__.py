"""What the appliance can do, method by method; the faces find, check and call them here and show results their way."""
