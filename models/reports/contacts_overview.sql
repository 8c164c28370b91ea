{{ daily_overview() }}
