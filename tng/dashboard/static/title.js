// The tab's title and the dot on its picture. Words are set as text; the picture is made of the one that is there.
const SVG = "data:image/svg+xml,";
const COLOURS = { busy: "--tng-amber", done: "--tng-good", alert: "--tng-bad" };

function marked(picture, mark) {
  if (!picture.startsWith(SVG) || !Object.hasOwn(COLOURS, mark)) return picture;
  const look = getComputedStyle(document.documentElement), colour = (name) => look.getPropertyValue(name).trim();
  const dot = `<circle cx='23' cy='23' r='8' fill='${colour(COLOURS[mark])}' stroke='${colour("--tng-on-night")}' stroke-width='2.5'/>`;
  const drawn = decodeURIComponent(picture.slice(SVG.length)).replace("</svg>", `${dot}</svg>`);
  return SVG + encodeURIComponent(drawn);
}

export default {
  render({ model, el }) {
    el.hidden = true;
    const title = document.title, icon = document.querySelector("link[rel~=icon]"), picture = icon?.href ?? "";
    const draw = () => {
      document.title = model.get("words") || title;
      if (icon) icon.href = marked(picture, model.get("mark"));
    };
    model.on("change:words change:mark", draw);
    draw();
    return () => {
      model.off("change:words change:mark", draw);
      document.title = title;
      if (icon) icon.href = picture;
    };
  },
};
