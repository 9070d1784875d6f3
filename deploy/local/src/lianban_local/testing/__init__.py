"""Real servers for everybody's tests, and the whole platform for the tests that need it.

``lianban_local.testing.plugin`` is registered with pytest by the package's entry point; ``postgres`` and
``nats_server`` are there in every test without an import.
"""
