"""Entry point of `python -m snap_pipeline.sandbox`: the sandbox without the rest of the command line."""

from snap_pipeline.sandbox.command import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m snap_pipeline.sandbox")
