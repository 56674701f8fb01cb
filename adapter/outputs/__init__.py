"""What a run leaves on disk or on the screen: files whole or not at all, texts, pictures, PDF."""
