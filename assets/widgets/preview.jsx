import { createElement as h, useEffect, useRef, useState } from "react";
import { pageOf } from "./compose/page.js";

// A mail as it will look: on a desk, on a phone, and where everything is dark.
const WAYS = [
  ["desk", "Desktop"],
  ["phone", "Phone"],
  ["dark", "Dark"],
];
const LOOKS = {
  desk: "margin:0;padding:20px;background:#fff;color:#1f1d1a",
  phone: "margin:0;padding:14px;background:#fff;color:#1f1d1a",
  dark: "margin:0;padding:20px;background:#1b1b1f;color:#ececf0",
};

// The mail's own dark colours are shown where "Dark" is chosen, and only there, whatever this browser likes itself.
const inScheme = (styles, dark) => (styles || "").replaceAll("@media (prefers-color-scheme: dark)", dark ? "@media all" : "@media not all");

export function MailPreview({ html, styles }) {
  const [way, setWay] = useState("desk");
  const frame = useRef(null);
  const page = pageOf(`<div style="font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5">${html}</div>`, "/api/v1/template-pictures", LOOKS[way], inScheme(styles, way === "dark"));
  useEffect(() => {
    const node = frame.current;
    const measure = () => {
      const body = node.contentDocument?.body;
      if (body) node.style.height = `${Math.max(80, body.scrollHeight)}px`;
    };
    node.addEventListener("load", measure);
    measure();
    // What lies folded has no height until it is unfolded.
    const watch = new ResizeObserver(measure);
    watch.observe(node);
    return () => {
      watch.disconnect();
      node.removeEventListener("load", measure);
    };
  }, [page]);
  return h(
    "div",
    { className: "mail-preview" },
    h(
      "div",
      { className: "preview-ways", role: "group", "aria-label": "How it is shown" },
      WAYS.map(([name, label]) => h("button", { key: name, type: "button", className: name === way ? "btn on" : "btn", "aria-pressed": name === way, onClick: () => setWay(name) }, label)),
    ),
    h("iframe", { ref: frame, className: `preview-frame ${way}`, title: "Preview of the mail", sandbox: "allow-same-origin", srcDoc: page, style: { colorScheme: way === "dark" ? "dark" : "light" } }),
  );
}
