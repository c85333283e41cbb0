"""The collector: takes events over HTTP from client libraries, and lands them."""
