"""The rule of every command, by what it is about; ``decide`` calls them."""
