// Draws every chart from the data block beside it, in the theme the reader has chosen, and again when that changes.
"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };

  function draw() {
    const theme = dark.matches ? "dark" : "light";
    for (const block of document.querySelectorAll("script[data-figure]")) {
      const place = document.getElementById(block.dataset.figure);
      const figure = JSON.parse(block.textContent)[theme];
      figure.layout.height = Number(place.dataset.height);
      Plotly.react(place, figure.data, figure.layout, config);
    }
  }

  dark.addEventListener("change", draw);
  draw();
})();
