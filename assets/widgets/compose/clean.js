// What comes from Word, Google Docs or a web page, before the editor's schema takes what it knows of it.
// (The server cleans all HTML again; this is so that it looks right.)

const LEVEL = /mso-list:\s*l\d+\s+level(\d+)/i;
const NUMBERED = /^\s*(?:\d+|[a-z]|[ivx]+)[.)]/i;

/** Word writes lists as paragraphs that say their level in a style, with the bullet as text. */
const wordLists = (body) => {
  let stack = [];
  for (const paragraph of [...body.querySelectorAll("p, h1, h2, h3, h4, h5, h6")]) {
    const level = Number(LEVEL.exec(paragraph.getAttribute("style") ?? "")?.[1] ?? 0);
    if (!level) {
      stack = [];
      continue;
    }
    const bullet = [...paragraph.querySelectorAll("span")].find((span) => /mso-list:\s*ignore/i.test(span.getAttribute("style") ?? ""));
    const kind = NUMBERED.test(bullet?.textContent ?? "") ? "ol" : "ul";
    bullet?.remove();
    // A list goes on only where nothing else stands between its paragraphs.
    if (stack.length && paragraph.previousElementSibling !== stack[0]) stack = [];
    stack.length = Math.min(stack.length, level);
    while (stack.length < level) {
      const list = body.ownerDocument.createElement(kind);
      const parent = stack.at(-1);
      if (parent) (parent.lastElementChild ?? parent).append(list);
      else paragraph.before(list);
      stack.push(list);
    }
    const item = body.ownerDocument.createElement("li");
    const words = body.ownerDocument.createElement("p");
    words.append(...paragraph.childNodes);
    item.append(words);
    stack.at(-1).append(item);
    paragraph.remove();
  }
};

export const cleanPasted = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const walker = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
  const comments = [];
  while (walker.nextNode()) comments.push(walker.currentNode);
  for (const comment of comments) comment.remove();
  for (const node of page.querySelectorAll("style, script, meta, link, title, xml, iframe, object, svg, button, input, select, textarea")) node.remove();
  wordLists(page.body);
  // Word's own elements (o:p) hold nothing, or a blank that keeps a paragraph open.
  for (const node of [...page.body.querySelectorAll("*")]) if (node.localName.includes(":")) node.replaceWith(...node.childNodes);
  // Pictures on somebody's disk, and those that only count who looks.
  for (const picture of page.querySelectorAll("img")) {
    const source = picture.getAttribute("src") ?? "";
    if (!/^(https?:|data:image\/|cid:)/i.test(source) || picture.getAttribute("width") === "1") picture.remove();
  }
  for (const paragraph of page.querySelectorAll("p.MsoNormal, p.MsoNoSpacing"))
    if (!paragraph.textContent.trim() && !paragraph.querySelector("img")) paragraph.textContent = "";
  return page.body.innerHTML;
};
