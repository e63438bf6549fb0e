"""What answers about series: questions to them, forecasts with quantiles, and the models behind."""
