"""What all tests share: where hypothesis keeps the examples that failed."""

from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from orchestration.lib.settings import PROJECT_ROOT

settings.register_profile(
    "contact-reports", database=DirectoryBasedExampleDatabase(PROJECT_ROOT / "data" / "cache" / "hypothesis")
)
settings.load_profile("contact-reports")
