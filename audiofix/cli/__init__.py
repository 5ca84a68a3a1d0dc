"""The process shell: argument groups, logging, progress, exit statuses."""
