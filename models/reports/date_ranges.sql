{{ date_ranges_at(current_instant()) }}
