// What a draft takes along.

/** The message that a draft quotes, to be written into: { html, text }. Throws an Error whose message is what to say. */
export const takeQuote = async (draft) => {
  const token = await window.tandem.csrf();
  const answer = await fetch(`/api/v1/drafts/${draft}/quote`, { method: "POST", headers: { "x-csrf-token": token } });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message || "It could not be fetched.");
  return told;
};
