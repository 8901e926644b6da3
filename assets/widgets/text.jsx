import { createElement as h, memo } from "react";

// Plain text as it was written, with addresses of pages and mailboxes clickable. No HTML is ever made from it.
const LINK = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g;

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

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

export const RichText = memo(function RichText({ text, mentions }) {
  const names = (mentions ?? []).filter(Boolean).sort((a, b) => b.length - a.length);
  const body = text ?? "";
  if (!names.length) return h("div", { className: "plain" }, linked(body, "t"));
  const parts = body.split(new RegExp(`(@(?:${names.map(escaped).join("|")}))(?![\\w])`, "g"));
  return h(
    "div",
    { className: "plain" },
    parts.map((part, i) => (i % 2 ? h("span", { key: i, className: "at" }, part) : linked(part, i))),
  );
});
