"""The notes over HTTP, on this machine only: for pages, programs and chat clients."""
