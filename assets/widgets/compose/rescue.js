// What was written into a draft that is gone, or says something else now, becomes a draft of one's own.
import { ask } from "../api.js";

/** Whether the draft is no more, or not for this person. While the server does not answer nothing is known. */
export const isGone = async (draft) => {
  try {
    return (await ask("GET", `/drafts/${draft}`)).status === 404;
  } catch {
    return false;
  }
};

/**
 * Make a draft that says what a composer said: { begins: how it was begun, fields }. Answers whether it stands, and
 * null where nobody answered: false means that this person may not write there any more.
 */
export const anew = async (said) => {
  if (!said) return false;
  try {
    const made = await ask("POST", "/drafts", said.begins);
    if (!made.ok) return made.status < 500 && made.status !== 401 ? false : null;
    const { id, version } = await made.json();
    const saved = await ask("PUT", `/drafts/${id}`, { ...said.fields, version });
    return saved.ok || null;
  } catch (fault) {
    console.warn("What was written stays kept in this browser", fault);
    return null;
  }
};
