"""The week as an officer reads it: sites against a week ago, nights without a look, who was not heard."""
