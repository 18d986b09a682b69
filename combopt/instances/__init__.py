"""What a problem is: its data, objective and feasibility; its formats and generators.  Knows no solver."""
