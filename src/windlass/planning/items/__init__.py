"""What can be proposed, one file a sort: data, answers, models, machines."""
