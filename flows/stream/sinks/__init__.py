"""Where results go: log, videos, live preview, drift samples, review candidates."""
