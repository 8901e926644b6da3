import { designedLines } from "./words.js";

// Between formatted and plain text.

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Plain text as the editor's own HTML: a paragraph for each line. */
export const htmlOf = (text) => text && text.split("\n").map((line) => `<p style="margin:0">${escaped(line)}</p>`).join("");

const inline = (node) => {
  let words = "";
  node.forEach((child) => {
    if (child.type.name === "hardBreak") words += "\n";
    else if (child.type.name === "image") words += child.attrs.alt ? `[${child.attrs.alt}]` : "";
    else if (child.isText) {
      const link = child.marks.find((mark) => mark.type.name === "link")?.attrs.href?.replace(/^mailto:/, "");
      const said = child.text.replace(/\u00a0/g, " ");
      words += said + (link && ![said, `https://${said}`].includes(link) ? ` <${link}>` : "");
    }
  });
  return words;
};

const APART = ["bulletList", "orderedList", "blockquote", "codeBlock", "table", "horizontalRule", "designed"];

const lines = (node) => {
  switch (node.type.name) {
    case "codeBlock":
      return node.textContent.split("\n");
    case "designed":
      return designedLines(node.attrs.html);
    case "horizontalRule":
      return ["-".repeat(20)];
    case "blockquote":
      return blocks(node).map((line) => (line.startsWith(">") ? `>${line}` : `> ${line}`.trimEnd()));
    case "bulletList":
    case "orderedList": {
      const found = [];
      let number = node.attrs.start ?? 1;
      node.forEach((item) => {
        const mark = node.type.name === "bulletList" ? "- " : `${number++}. `;
        blocks(item, true).forEach((line, i) => found.push((i ? " ".repeat(mark.length) : mark) + line));
      });
      return found;
    }
    case "table": {
      const found = [];
      node.forEach((row) => {
        const cells = [];
        row.forEach((cell) => cells.push(blocks(cell).filter(Boolean).join(" ")));
        found.push(cells.join(" | "));
      });
      return found;
    }
    default:
      return node.isTextblock ? inline(node).split("\n") : node.isLeaf ? [] : blocks(node);
  }
};

function blocks(parent, tight = false) {
  const found = [];
  let apart = false;
  parent.forEach((node) => {
    const now = APART.includes(node.type.name) && !tight;
    if ((now || apart) && found.length && found.at(-1)) found.push("");
    found.push(...lines(node));
    apart = now;
  });
  return found;
}

/** What a ProseMirror document says. */
export const textOf = (doc) =>
  blocks(doc)
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/^\n+|\n+$/g, "");
