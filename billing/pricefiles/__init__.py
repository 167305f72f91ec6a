"""Price lists as files: read, compared with what is stored, applied, and written."""
