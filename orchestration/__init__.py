"""contact-reports: contact events in, an analytics warehouse with report views out."""
