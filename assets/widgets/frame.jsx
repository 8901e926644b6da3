import { createElement as h, useEffect, useRef, useState } from "react";

// A mail's own HTML. The document is sanitised and carries a Content-Security-Policy of its own without any script.
// The frame is sandboxed: no scripts, forms, or navigation of our page. It keeps our origin (allow-same-origin) for one
// reason: so that *our* page can read the height of its content. That is safe only because scripts never run in it:
// never add allow-scripts here. Links open in a new, unsandboxed tab.
const SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const TALLEST = 12_000;

const heights = new Map();

export function MailFrame({ url, title }) {
  const frame = useRef(null);
  const [dark, setDark] = useState(() => document.documentElement.classList.contains("dark"));
  const source = `${url}&dark=${dark ? 1 : 0}`;
  const [height, setHeight] = useState(heights.get(source) ?? 120);

  useEffect(() => {
    const watch = new MutationObserver(() => setDark(document.documentElement.classList.contains("dark")));
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    const node = frame.current;
    let watch;
    const measure = () => {
      const page = node.contentDocument?.documentElement;
      const body = node.contentDocument?.body;
      if (!page || !body || !node.offsetParent) return;
      // Only a sideways scrollbar needs room below the content.
      const bar = page.scrollWidth > page.clientWidth ? 16 : 0;
      const content = Math.max(body.scrollHeight, body.getBoundingClientRect().height);
      const wanted = Math.min(TALLEST, Math.ceil(content) + bar);
      heights.set(source, wanted);
      setHeight(wanted);
    };
    const loaded = () => {
      measure();
      watch?.disconnect();
      const body = node.contentDocument?.body;
      if (!body) return;
      watch = new ResizeObserver(measure);
      watch.observe(body);
      for (const image of node.contentDocument.images) image.addEventListener("load", measure, { once: true });
      // Keys pressed inside the frame belong to the inbox.
      node.contentDocument.addEventListener("keydown", (event) => window.tandem?.key?.(event));
    };
    node.addEventListener("load", loaded);
    if (node.contentDocument?.readyState === "complete" && node.contentDocument.body?.childNodes.length) loaded();
    return () => {
      node.removeEventListener("load", loaded);
      watch?.disconnect();
    };
  }, [source]);

  return h("iframe", {
    ref: frame,
    className: "mail-frame",
    src: source,
    title,
    sandbox: SANDBOX,
    referrerPolicy: "no-referrer",
    loading: "lazy",
    style: { height: `${height}px` },
  });
}
