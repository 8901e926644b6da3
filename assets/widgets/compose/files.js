// Files on their way up. Each is one request of its own, so that its progress can be seen.
export const LARGEST_FILE = 25 * 1024 * 1024;

/** Send one file up; answers the draft as it is then. Throws an Error whose message is what to say. */
export const sendUp = async (draft, file, { inText = false, onProgress } = {}) => {
  if (file.size > LARGEST_FILE) throw new Error("larger than 25 MB");
  const form = new FormData();
  form.append("file", file);
  const token = await window.tandem.csrf();
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/drafts/${draft}/attachments${inText ? "?in_text=true" : ""}`);
    request.setRequestHeader("x-csrf-token", token);
    request.upload.onprogress = (event) => onProgress?.(event.loaded / Math.max(1, event.total));
    request.onload = () => {
      let told = {};
      try {
        told = JSON.parse(request.responseText);
      } catch {
        told = { message: `refused (${request.status})` };
      }
      if (request.status < 300) done(told);
      else fail(new Error(told.message || "refused"));
    };
    request.onerror = () => fail(new Error("the connection broke"));
    request.send(form);
  });
};

/** The message that a draft quotes, to be written into: { html, text }. Throws an Error whose message is what to say. */
export const takeQuote = async (draft) => {
  const token = await window.tandem.csrf();
  const answer = await fetch(`/api/v1/drafts/${draft}/quote`, { method: "POST", headers: { "x-csrf-token": token } });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message || "It could not be fetched.");
  return told;
};
