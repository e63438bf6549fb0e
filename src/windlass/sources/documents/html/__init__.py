"""Pages and Markdown: what a reader sees of them, by what they and their style sheets say."""
