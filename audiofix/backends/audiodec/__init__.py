"""AudioDec, a streaming neural speech codec (Wu, Gebru, Marković, Richard; ICASSP 2023)."""
