"""Pictures of sound: spectra, bands, and what they say."""
