"""Cases and decks in the formats of other programs: spreadsheets, Moodle, Kahoot."""
