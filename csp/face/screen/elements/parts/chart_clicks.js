// Makes the points of a Plotly chart open addresses. Streamlit itself tells of clicks only while nothing can be
// drawn around; this listens to the chart's own event, so that one tool serves both.
export default function ({ data }) {
  let chart = null;
  const clicked = ({ points }) => points[0]?.customdata && open(data.href + points[0].customdata[0]);
  const look = () => {
    const found = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (found === chart || !found?.on) return;
    chart = found;
    chart.on("plotly_click", clicked);
  };
  // The chart may be drawn later than this element, and anew.
  const watch = setInterval(look, 250);
  look();
  return () => {
    clearInterval(watch);
    chart?.removeListener?.("plotly_click", clicked);
  };
}
