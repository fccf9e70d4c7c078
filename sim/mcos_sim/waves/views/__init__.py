"""What is made of a waveform for people: pictures, pages, a trace for Perfetto, a verdict."""
