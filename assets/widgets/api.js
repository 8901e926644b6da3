// Asking the REST API from a widget, with the token against foreign forms, and reading what it refuses.

/** What the server refuses; its message is what to say. */
export class Refused extends Error {
  constructor({ message, remedy, details }, status) {
    super([message, remedy].filter(Boolean).join(" ") || "The server did not answer as expected. Try again.");
    this.status = status;
    this.details = details;
  }
}

/** The answer as it comes. A form, or bytes, is sent as it is; any other body as JSON. */
export const ask = async (method, path, body, { headers = {}, signal } = {}) => {
  const raw = body === undefined || body instanceof FormData || body instanceof ArrayBuffer;
  const given = { ...(method !== "GET" && { "x-csrf-token": await window.tandem.csrf() }), ...(!raw && { "content-type": "application/json" }), ...headers };
  return fetch(`/api/v1${path}`, { method, headers: given, body: raw ? body : JSON.stringify(body), signal });
};

/** What it says, null where there is nothing to say. Throws `Refused`. */
export const told = async (answer) => {
  if (!answer.ok) throw new Refused(await answer.json().catch(() => ({})), answer.status); // a proxy's page is no JSON
  return answer.status === 204 ? null : answer.json();
};

/** One request and what came of it. Throws an Error whose message is what to say. */
export const send = async (method, path, body) => {
  let answer;
  try {
    answer = await ask(method, path, body);
  } catch (fault) {
    throw new Error("Tandem cannot be reached. Check your connection and try again.", { cause: fault });
  }
  return told(answer);
};
export const get = (path) => send("GET", path);

/** The form that carries a file. */
export const holding = (file) => {
  const form = new FormData();
  form.append("file", file, file.name);
  return form;
};
