// Draws every chart from the data block beside it, in the theme the reader has chosen, and again when that changes.
"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };

  function drawn(block, theme) {
    const place = document.getElementById(block.dataset.figure);
    const figure = JSON.parse(block.textContent)[theme];
    figure.layout.height = Number(place.dataset.height);
    return Plotly.react(place, figure.data, figure.layout, config);
  }

  // What prints or photographs the page can wait for html[data-drawn].
  async function draw() {
    const theme = dark.matches ? "dark" : "light";
    await Promise.all(Array.from(document.querySelectorAll("script[data-figure]"), (block) => drawn(block, theme)));
    document.documentElement.dataset.drawn = theme;
  }

  dark.addEventListener("change", draw);
  draw();
})();
