// What is told outside the page. A service worker (assets/push.js) shows it, the same for a tab that heard of it and for
// a push, so that of both one notification stays; and closes it when it was read, here or anywhere.
(() => {
  const tandem = (window.tandem ??= {});
  const TOLD = "tandem-told";
  const PUSHED_FOR = "tandem-push";

  const worker = navigator.serviceWorker
    ? navigator.serviceWorker.register("/push.js").then(() => navigator.serviceWorker.ready, () => null)
    : Promise.resolve(null);
  const say = async (what) => (await worker)?.active?.postMessage(what);

  const told = new Set(JSON.parse(sessionStorage.getItem(TOLD) ?? "[]"));

  /** Tell what is new; what concerns the conversation that somebody looks at has been seen with that. */
  const tell = (news, saw) => {
    for (const each of news) {
      if (told.has(each.mark)) continue;
      told.add(each.mark);
      const before = document.visibilityState === "visible" && document.hasFocus();
      if (before && tandem.selected === each.conversation_id) saw(each.conversation_id);
      else if (each.show && window.Notification?.permission === "granted") say({ show: each });
    }
    sessionStorage.setItem(TOLD, JSON.stringify([...told].slice(-50)));
  };

  let unread = [];
  const stillUnread = (tags) => {
    const read = unread.filter((tag) => !tags.includes(tag));
    unread = tags;
    if (read.length) say({ close: read });
  };

  const open = (path) => {
    const asked = new URLSearchParams(path.split("?")[1]);
    const id = Number(asked.get("conversation"));
    if (id && document.querySelector("[data-desk]")) tandem.select(id, { at: asked.get("at") ?? "" });
    else location.assign(path);
  };
  navigator.serviceWorker?.addEventListener("message", (event) => event.data.open && open(event.data.open));

  // ---- this browser's subscription

  const bytes = (key) => Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
  const same = (one, other) => one && one.byteLength === other.byteLength && new Uint8Array(one).every((each, i) => each === other[i]);

  const browserName = () => {
    const said = navigator.userAgent;
    const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((name) => said.includes(name)) ?? "Browser";
    const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux"].find((name) => said.includes(name));
    const shown = { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
    return system ? `${shown} on ${system}` : shown;
  };
  const described = (subscription) => {
    const { endpoint, keys } = subscription.toJSON();
    return { endpoint, p256dh: keys.p256dh, auth: keys.auth, name: browserName() };
  };

  /** Subscribe under the installation's key; an older subscription under another one is of no use any more. */
  const subscribe = async (key, me) => {
    const push = (await worker).pushManager;
    const wanted = bytes(key);
    const known = await push.getSubscription();
    if (known && !same(known.options.applicationServerKey, wanted)) await known.unsubscribe();
    const made = await push.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
    localStorage.setItem(PUSHED_FOR, String(me));
    return described(made);
  };
  const unsubscribe = async () => {
    localStorage.removeItem(PUSHED_FOR);
    const known = await (await worker)?.pushManager?.getSubscription();
    if (known) await known.unsubscribe();
    return known?.endpoint ?? "";
  };
  /** The subscription of this person here, if they turned push on in this browser. */
  const subscription = async (me) => {
    if (localStorage.getItem(PUSHED_FOR) !== String(me)) return null;
    const known = await (await worker)?.pushManager?.getSubscription();
    return known ? described(known) : null;
  };

  // The settings' quiet hours are on the clock of this browser where the profile names no other.
  document.addEventListener("submit", (event) => {
    const zone = event.target.elements?.time_zone;
    if (zone?.type === "hidden") zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }, true);

  tandem.notify = { tell, stillUnread, subscribe, unsubscribe, subscription, worker };
})();
