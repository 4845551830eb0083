"""Between SWF's dicts and the engine's values."""
