import { createElement as h, useEffect, useRef, useState } from "react";
import { pageOf, withPictures } from "./compose/page.js";

// A colleague's draft as it is written, growing in place. The server has cleaned its HTML, and the frame runs nothing and
// fetches nothing from elsewhere; links open in a new tab.
const SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const LOOK = "margin:0;padding:10px;background:#fff;color:#1f1d1a;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5;overflow-wrap:anywhere";
const EMPTY = pageOf("", "", LOOK, '<base target="_blank">');

export function TheirDraft({ draft, html, title }) {
  const frame = useRef(null);
  const latest = useRef("");
  const [height, setHeight] = useState(40);
  latest.current = withPictures(html ?? "", `/api/v1/drafts/${draft}/pictures`);

  const fill = () => {
    const body = frame.current?.contentDocument?.body;
    if (body && body.dataset.says !== latest.current) {
      body.dataset.says = latest.current;
      body.innerHTML = latest.current;
    }
  };
  useEffect(fill, [html, draft]);
  useEffect(() => {
    const node = frame.current;
    const watch = new ResizeObserver(() => {
      const body = node.contentDocument?.body;
      if (body && node.offsetParent) setHeight(Math.ceil(Math.max(body.scrollHeight, 40)));
    });
    const loaded = () => {
      fill();
      watch.disconnect();
      watch.observe(node); // what lies folded has no height until it is unfolded
      watch.observe(node.contentDocument.body);
      // Keys pressed inside the frame belong to the inbox.
      node.contentDocument.addEventListener("keydown", (event) => window.tandem?.key?.(event));
    };
    node.addEventListener("load", loaded);
    if (node.contentDocument?.readyState === "complete" && node.contentDocument.querySelector("base")) loaded();
    return () => {
      node.removeEventListener("load", loaded);
      watch.disconnect();
    };
  }, []);
  return h("iframe", { ref: frame, className: "mail-frame", title, sandbox: SANDBOX, referrerPolicy: "no-referrer", srcDoc: EMPTY, style: { height: `${height}px` } });
}
