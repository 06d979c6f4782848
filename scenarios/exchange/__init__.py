"""Cases and decks in other people's formats: spreadsheets, Moodle, Kahoot."""
