"""What runs underneath: randomness, isolation, transactions, arrays, names of scikit-learn."""
