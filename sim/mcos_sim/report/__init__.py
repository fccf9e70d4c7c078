"""What a comparison of arbiters found: tables, pictures and one HTML page."""
