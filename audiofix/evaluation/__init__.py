"""What `eval` does: damages, comparisons with references, tables and the HTML page."""
