"""A bank application on the SDK, from the choice of a country to a payment's status.

Start it with `python -m examples.bank_journey`.
"""
