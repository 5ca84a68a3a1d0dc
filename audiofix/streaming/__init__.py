"""The engine: stages that turn chunks of samples into chunks of samples."""
