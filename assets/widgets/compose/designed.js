import { Node } from "@tiptap/core";
import { pageOf } from "./page.js";
import { inert, texts } from "./words.js";

// A part that is laid out: from a template that was imported, or of the library. The editor knows no such markup, so it
// keeps the part as it is, shows it in a frame in which nothing runs, and lets its words be changed.

/** The editor's HTML with what those parts hold. */
export const whole = (html) => {
  if (!html.includes("data-html=")) return html;
  const body = inert(html);
  for (const part of body.querySelectorAll("div.designed[data-html]")) {
    part.innerHTML = part.getAttribute("data-html");
    part.removeAttribute("data-html");
  }
  return body.innerHTML;
};

/** Asks for other words; answers the HTML with them, or null. */
const askForWords = (html) =>
  new Promise((answer) => {
    const body = inert(html);
    const pieces = texts(body);
    const dialog = document.createElement("dialog");
    dialog.className = "words";
    dialog.setAttribute("aria-label", "Change the words");
    const title = document.createElement("h2");
    title.textContent = "Change the words";
    const list = document.createElement("div");
    list.className = "words-list";
    const fields = pieces.map((piece, number) => {
      const field = document.createElement("textarea");
      field.className = "input";
      field.value = piece.data.trim().replace(/\s+/g, " ");
      field.rows = Math.min(6, Math.ceil(field.value.length / 60) || 1);
      field.setAttribute("aria-label", `Words ${number + 1} of ${pieces.length}`);
      list.append(field);
      return field;
    });
    const foot = document.createElement("div");
    foot.className = "words-foot";
    const button = (words, look, press) => {
      const made = document.createElement("button");
      Object.assign(made, { type: "button", className: look, textContent: words, onclick: press });
      foot.append(made);
    };
    const close = (said) => {
      dialog.remove();
      answer(said);
    };
    button("Cancel", "btn", () => close(null));
    button("Change", "btn pri", () => {
      pieces.forEach((piece, number) => {
        const [before, after] = [/^\s*/.exec(piece.data)[0], /\s*$/.exec(piece.data)[0]];
        piece.data = before + fields[number].value.trim() + after;
      });
      close(body.innerHTML);
    });
    dialog.append(title, list, foot);
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") (event.preventDefault(), close(null));
    });
    document.body.append(dialog);
    dialog.showModal();
  });

export const designedNode = (pictures) =>
  Node.create({
    name: "designed",
    group: "block",
    atom: true,
    draggable: true,
    addAttributes: () => ({
      html: {
        default: "",
        parseHTML: (element) => element.getAttribute("data-html") ?? element.innerHTML,
        renderHTML: ({ html }) => ({ "data-html": html }),
      },
    }),
    parseHTML: () => [{ tag: "div.designed", priority: 100 }],
    renderHTML: ({ HTMLAttributes }) => ["div", { class: "designed", ...HTMLAttributes }],
    addNodeView:
      () =>
      ({ node, editor, getPos }) => {
        const dom = document.createElement("div");
        dom.className = "designed-part";
        const frame = document.createElement("iframe");
        frame.title = "Designed part";
        frame.tabIndex = -1;
        frame.setAttribute("sandbox", "allow-same-origin"); // for its height; never scripts
        frame.onload = () => {
          const body = frame.contentDocument?.body;
          if (body) frame.style.height = `${Math.max(40, body.scrollHeight)}px`;
        };
        frame.srcdoc = pageOf(node.attrs.html, pictures);
        const tools = document.createElement("div");
        tools.className = "designed-tools";
        const tool = (words, press) => {
          const made = document.createElement("button");
          Object.assign(made, { type: "button", className: "btn", textContent: words });
          made.onclick = press;
          tools.append(made);
        };
        tool("Change the words", async () => {
          const html = await askForWords(node.attrs.html);
          if (html !== null && !editor.isDestroyed) editor.view.dispatch(editor.state.tr.setNodeMarkup(getPos(), null, { html }));
          editor.view.focus();
        });
        tool("Remove", () => {
          editor.view.dispatch(editor.state.tr.delete(getPos(), getPos() + node.nodeSize));
          editor.view.focus();
        });
        dom.append(frame, tools);
        return { dom, stopEvent: (event) => Boolean(event.target.closest?.(".designed-tools")), ignoreMutation: () => true };
      },
  });
