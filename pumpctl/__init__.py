"""pumpctl: program an implanted intrathecal baclofen pump and read its telemetry."""

__version__ = "0.1.0"
