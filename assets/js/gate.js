// Signing in and what comes before it. Every form is one JSON request to the REST API, then a full page load:
// the session cookie is read when a page's socket opens, so the inbox must begin with a fresh page.
(() => {
  const api = "/api/v1";

  const cookie = (name) =>
    document.cookie.split("; ").find((part) => part.startsWith(name + "="))?.slice(name.length + 1) ?? "";

  /** The token against foreign forms. The server sets its cookie with the first answer to a GET. */
  const csrf = async () => {
    if (!cookie("tandem_csrf")) await fetch(api + "/health", { credentials: "same-origin" });
    return decodeURIComponent(cookie("tandem_csrf"));
  };

  /** One request with a JSON body; throws an Error whose text a person can read. */
  const post = async (path, body) => {
    let answer;
    try {
      answer = await fetch(api + path, {
        method: "POST",
        credentials: "same-origin",
        headers: { "content-type": "application/json", "x-csrf-token": await csrf() },
        body: JSON.stringify(body ?? {}),
      });
    } catch {
      throw new Error("Tandem cannot be reached. Check your connection and try again.");
    }
    const told = await answer.text();
    if (answer.ok) return;
    let fault = {};
    try {
      fault = JSON.parse(told);
    } catch {
      console.warn("An answer that is not JSON", answer.status);
    }
    throw new Error(
      [fault.message, fault.remedy].filter(Boolean).join(" ") || "The server did not answer as expected. Try again.",
    );
  };

  const token = () =>
    new URLSearchParams(location.search).get("token") || new URLSearchParams(location.hash.slice(1)).get("token") || "";

  /** Where to go on after signing in: a page of ours, as the browser itself understands the address. */
  const ownPage = (wanted) => {
    try {
      const page = new URL(wanted || "/", location.origin).href;
      return page.startsWith(location.origin + "/") ? page : "/";
    } catch {
      return "/"; // no address at all
    }
  };

  const say = (form, text) => {
    const box = form.querySelector("[role=alert]");
    box.firstElementChild.textContent = text;
    box.hidden = !text;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches?.("form[data-post]")) return;
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    if (button.disabled) return;
    const body = Object.fromEntries(new FormData(form));
    if (form.dataset.token) body.token = token();
    button.disabled = true;
    say(form, "");
    try {
      await post(form.dataset.post, body);
    } catch (fault) {
      say(form, fault.message);
      button.disabled = false;
      (form.querySelector("[type=password]") ?? form.querySelector("input"))?.focus();
      return;
    }
    if (form.dataset.done) {
      const note = document.createElement("p");
      note.className = "gate-done";
      note.setAttribute("role", "status");
      note.textContent = form.dataset.done;
      form.after(note);
      form.hidden = true;
      return;
    }
    sessionStorage.clear();
    location.assign(ownPage(new URLSearchParams(location.search).get("next")));
  });

  /** Signing out leaves nothing of the person in this browser. */
  const signOut = async () => {
    try {
      await window.tandem.forgetKept?.();
      await post("/sign-out");
    } finally {
      sessionStorage.clear();
      indexedDB.deleteDatabase("tandem-files"); // those that were on their way up (assets/widgets/compose/uploads.js)
      location.assign("/signin/");
    }
  };

  /** The session is over (signed out elsewhere, expired): begin again, and come back to this page. */
  const toSignIn = () => {
    sessionStorage.clear();
    const here = location.pathname + location.search;
    location.assign("/signin/" + (here === "/" ? "" : "?next=" + encodeURIComponent(here)));
  };

  const fill = (name, text) => {
    for (const spot of document.querySelectorAll(`[data-fill="${name}"]`)) if (text) spot.textContent = text;
  };

  /** What a page before signing in needs to know: the organisation's name, and where a fresh start belongs. */
  const prepare = async (gate) => {
    const answer = await fetch(api + "/set-up", { credentials: "same-origin" });
    if (!answer.ok) return;
    const state = await answer.json();
    if (state.needs_set_up && gate !== "set-up") return location.replace("/set-up/");
    if (!state.needs_set_up && gate === "set-up") return location.replace("/signin/");
    fill("organisation", state.organisation_name);
    document.documentElement.dataset.mail = state.can_mail_passwords ? "yes" : "no";
    const offers = { invitation: "/invitations/offer", "verify-address": "/addresses/offer" };
    if (!offers[gate]) return;
    const offer = await fetch(api + offers[gate], {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json", "x-csrf-token": await csrf() },
      body: JSON.stringify({ token: token() }),
    });
    const told = await offer.json().catch(() => ({}));
    const form = document.querySelector("form[data-post]");
    if (!offer.ok) {
      say(form, [told.message, told.remedy].filter(Boolean).join(" ") || "This link is no longer valid.");
      for (const part of form.querySelectorAll(".field, [type=submit]")) part.hidden = true;
      return;
    }
    fill("organisation", told.organisation_name);
    if (gate === "verify-address") {
      const uses = `${told.organisation_name} uses ${told.address} for mail that is sent from it or answered to it.`;
      if (told.verified) form.hidden = true;
      return fill("offer", told.verified ? `${told.address} is verified already. There is nothing to do.` : uses);
    }
    fill("offer", `${told.invited_by_name} invited ${told.email} to ${told.organisation_name}.`);
  };

  const mounted = () => {
    const gate = document.querySelector("[data-gate]")?.dataset.gate;
    if (gate) prepare(gate).catch((fault) => console.warn("Tandem cannot be reached", fault));
  };

  // Early, where it is missing: two first requests at once would each get another one, and the later one counts.
  csrf().catch(() => {}); // offline: it is asked for again when it is needed
  window.tandem = Object.assign(window.tandem ?? {}, { csrf, signOut, toSignIn });
  window.addEventListener("tandem:mounted", mounted);
  if (document.documentElement.dataset.mounted) mounted();
})();
