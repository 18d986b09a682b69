"""Reports of an analysis: HTML, and as text Markdown, LaTeX, CSV, JSON and plain tables."""
