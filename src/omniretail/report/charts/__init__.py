"""Charts that answer to the mouse: each a function from figures to a Vega-Lite chart with a title and a caption."""
