"""Everything that only training needs. Installed as `audiofix.trainers`."""
