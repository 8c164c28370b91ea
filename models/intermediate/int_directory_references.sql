{{ directory_references() }}
