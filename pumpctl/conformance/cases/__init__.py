"""The tests, one file for each subject of docs/protocol.md. They know the bench, and no port."""
