"""The dbt project, built for real on small lakes whose numbers are checked by hand."""
