{{ published_date_ranges(current_instant()) }}
