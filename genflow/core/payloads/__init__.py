"""From values to the text of payloads and back."""
