"""Parts of pages: charts, balance, timeline, treatment cards, sliders."""
