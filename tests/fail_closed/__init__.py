"""Evidence taken away or spoilt, input by input and damage by damage: never GO."""
