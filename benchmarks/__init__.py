"""Speed as ratios measured in one sitting; nothing here fails a test."""
