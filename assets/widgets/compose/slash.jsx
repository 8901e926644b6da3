import { createElement as h } from "react";
import { icon } from "./icons.jsx";
import { KINDS, findLinks } from "./links.jsx";
import { OfferMenu } from "./offer.jsx";
import { beginning, findTemplates } from "./templates.js";

// "/" at the start of a word offers templates, snippets and saved links.
const SLASH = /(?:^|\s)\/([^\s/][^\n/]{0,39})?$/;
const MOST = 7;
const MOST_LINKS = 3;

/** Templates first, and links below them. */
const find = async (words) => {
  const [templates, links] = await Promise.all([findTemplates(words), findLinks(words)]);
  const last = links.slice(0, MOST_LINKS);
  return [...templates.slice(0, MOST - last.length), ...last];
};
const draw = (each) => {
  const [name, hint] = each.url ? KINDS[each.kind] : [each.kind === "snippet" ? "quote" : "template", beginning(each)];
  return { picture: icon(name, 15), name: each.name, hint, folder: each.folder };
};

/** `onChoose` gets a template or a link, when the slash and its words are gone; `onMore` opens the whole list. */
export function SlashMenu({ editor, onChoose, onMore }) {
  const more = { words: (found) => (found.length ? "All templates" : "No templates yet: see all"), take: onMore };
  return h(OfferMenu, { editor, id: "slash-menu", label: "Templates and snippets, links", sign: SLASH, find, draw, onTake: onChoose, more });
}
