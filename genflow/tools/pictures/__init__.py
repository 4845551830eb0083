"""Pictures of executions: for the terminal, and as SVG, HTML, Mermaid and Graphviz."""
