// Templates and snippets, as the composer asks for them.
import { get, send } from "../api.js";

/** Those with all these words: first where the name says them, then the most used. Throws an Error whose message is what to say. */
export const findTemplates = async (words) => {
  const found = await get(`/templates?q=${encodeURIComponent(words)}`);
  const named = ({ name }) => (words.trim() && name.toLowerCase().includes(words.trim().toLowerCase()) ? 1 : 0);
  return found.sort((a, b) => named(b) - named(a) || b.uses - a.uses || a.name.localeCompare(b.name));
};

/** The folders that these templates lie in, with those above them: { path, name, depth, count }, in their order. */
export const foldersOf = (found) => {
  const counts = new Map();
  for (const { folder } of found) {
    const steps = folder ? folder.split("/") : [];
    steps.forEach((_, i) => {
      const path = steps.slice(0, i + 1).join("/");
      counts.set(path, (counts.get(path) ?? 0) + 1);
    });
  }
  return [...counts]
    .map(([path, count]) => ({ path, count, steps: path.split("/") }))
    .sort((a, b) => inOrder(a.steps, b.steps))
    .map(({ path, count, steps }) => ({ path, count, name: steps.at(-1), depth: steps.length - 1 }));
};
const inOrder = (a, b) => {
  const i = a.findIndex((step, at) => step !== b[at]);
  return i < 0 ? a.length - b.length : i >= b.length ? 1 : a[i].localeCompare(b[i]);
};
export const liesIn = (template, folder) => !folder || template.folder === folder || template.folder.startsWith(`${folder}/`);

/** A template as it will read: { subject, text, html, missing }. `draft` is what the composer began with. */
export const previewOf = (draft, id, to, given) =>
  send("POST", `/templates/${id}/preview`, {
    to,
    given,
    ...(draft.conversation_id ? { conversation_id: draft.conversation_id } : { mailbox_id: draft.mailbox_id }),
  });

/** The same, to be put into the draft; its use is counted. */
export const fillIn = (draft, id, to, given = {}) => send("POST", `/drafts/${draft.id}/templates/${id}`, { to, given });

/** The signatures that a draft can have, { person, mailbox }: each as it will read, or null. */
export const signaturesOf = (draft, to) => send("POST", `/drafts/${draft.id}/signatures`, { to });
export const chooseSignature = (draft, signature) => send("PUT", `/drafts/${draft.id}/signature`, { signature });

/** On one line, with dots where fields stand. */
export const readable = (source) =>
  source
    .replace(/\{%[^{}]*%\}/g, "")
    .replace(/\{\{[^{}]*\}\}/g, "…")
    .split(/\s+/)
    .join(" ");

/** How a template begins. */
export const beginning = (each) => readable(each.text).slice(0, 90);

/** A field in words: contact.first_name is "contact first name". */
export const inWords = (field) => field.replace(/[._]/g, " ");
