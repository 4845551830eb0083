"""The pages of the dashboard, and the forms and streams on them."""
