"""A bank application on the SDK: from the choice of a country to a payment's status. `python -m examples.bank_journey`."""
