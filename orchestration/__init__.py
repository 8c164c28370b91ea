"""contact-reports: contact events in, an analytics warehouse with report views out."""

import os

# Contacts are private: only the owner may read the files that a process writes. Set here, as every process imports this
# package first, also Dagster's runs and the receiver. Child processes inherit it.
os.umask(0o077)
