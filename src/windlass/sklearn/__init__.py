"""The scikit-learn face: Classifier and Regressor."""
