"""What follows the knowledge of learners from their attempts, by numpy alone; and the exercise that comes next."""
