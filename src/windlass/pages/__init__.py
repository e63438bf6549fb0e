"""What people read. Pure functions of records; nothing here reads a store."""
