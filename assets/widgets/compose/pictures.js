import { Node } from "@tiptap/core";

// Pictures that stand in the text. The mail names them by `cid:`; the editor shows them from the draft. One that lies
// somewhere on the web is not loaded: whoever put it into a mail would learn that it is being answered.

const WIDEST = 640;
const CID = /^cid:(.+)$/i;

const host = (address) => {
  try {
    return new URL(address).host;
  } catch {
    return "";
  }
};

/** Where the pictures of a draft are found, or, given as an address already, those of something else. */
export const placeOf = (draft) => (typeof draft === "string" ? draft : `/api/v1/drafts/${draft}/pictures`);

const shown = (draft, { src, alt, width }) => {
  const name = CID.exec(src ?? "")?.[1];
  if (!name && !/^data:image\//.test(src ?? "")) {
    const place = document.createElement("span");
    place.className = "far-picture";
    place.textContent = alt || `Picture from ${host(src) || "the web"}`;
    return place;
  }
  const picture = document.createElement("img");
  picture.src = name ? `${placeOf(draft)}/${encodeURIComponent(name)}` : src;
  picture.alt = alt ?? "";
  if (width) picture.width = width;
  return picture;
};

export const pictureNode = (draft) =>
  Node.create({
    name: "image",
    group: "inline",
    inline: true,
    draggable: true,
    addAttributes() {
      const number = (element) => Number.parseInt(element.getAttribute("width") ?? "", 10) || null;
      return { src: { default: null }, alt: { default: "" }, width: { default: null, parseHTML: number } };
    },
    parseHTML: () => [{ tag: "img[src]" }],
    renderHTML: ({ HTMLAttributes }) => ["img", { ...HTMLAttributes, style: "max-width:100%;height:auto" }],
    addNodeView: () => ({ node }) => ({ dom: shown(draft, node.attrs) }),
  });

export const isPicture = (file) => /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.type);

/** How wide a picture is to be in the mail: as it is, but no wider than a mail. */
export const widthOf = async (file) => {
  try {
    const bitmap = await createImageBitmap(file);
    const width = Math.min(bitmap.width, WIDEST);
    bitmap.close();
    return width;
  } catch {
    return null; // the browser cannot read it; whoever gets the mail perhaps can
  }
};

/** Pictures pasted as `data:` become attachments of the mail, for many mail programs show no others. */
export const adoptData = async (editor, upload) => {
  const found = new Set();
  editor.state.doc.descendants((node) => {
    if (node.type.name === "image" && node.attrs.src?.startsWith("data:")) found.add(node.attrs.src);
  });
  for (const src of found) {
    const blob = await (await fetch(src)).blob();
    const put = await upload(new File([blob], `picture.${blob.type.split("/")[1] || "png"}`, { type: blob.type }));
    if (!put || editor.isDestroyed) return;
    const change = editor.state.tr;
    editor.state.doc.descendants((node, at) => {
      if (node.type.name === "image" && node.attrs.src === src) change.setNodeMarkup(at, null, { ...node.attrs, ...put });
    });
    editor.view.dispatch(change);
  }
};
