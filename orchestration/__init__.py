"""contact-reports: contact events in, an analytics warehouse with report views out."""

import os

# Contacts are nobody's business: what a process of ours writes, its owner alone may read. Here, as every one of them
# comes by here first, Dagster's runs and the receiver too; what they start inherits it.
os.umask(0o077)
