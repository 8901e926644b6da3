import { createElement as h, memo } from "react";

// Plain text as it was written, with addresses of pages and mailboxes clickable. No HTML is ever made from it.
const LINK = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g;

const linked = (text, key) =>
  text.split(LINK).map((part, i) =>
    i % 2 === 0
      ? part
      : h(
          "a",
          {
            key: `${key}.${i}`,
            href: part.startsWith("http") ? part : `mailto:${part}`,
            target: "_blank",
            rel: "noopener noreferrer nofollow",
            title: part,
          },
          part,
        ),
  );

export const RichText = memo(function RichText({ text }) {
  return h("div", { className: "plain" }, linked(text ?? "", "t"));
});

// A comment. Its HTML is made, and made safe, by frontend/inbox/comment_text.py: give nothing else to this.
export const Formatted = memo(function Formatted({ html }) {
  return h("div", { className: "said", dangerouslySetInnerHTML: { __html: html ?? "" } });
});
