// The service worker: what this browser shows while no tab of Tandem is in front, and where a click leads.
const front = async () => {
  const tabs = await clients.matchAll({ type: "window", includeUncontrolled: true });
  return tabs.some((tab) => tab.focused && tab.visibilityState === "visible");
};

const close = async (tags) => {
  for (const shown of await registration.getNotifications()) if (tags.includes(shown.tag)) shown.close();
};

/** Nothing while somebody sits before a tab: the list there tells it. */
const show = async (said) => {
  await close(said.read ?? []);
  if (await front()) return;
  await registration.showNotification(said.title, {
    body: said.body,
    tag: said.tag,
    renotify: !said.again,
    icon: "/favicon.svg",
    data: { path: said.path },
  });
};

const open = async (path) => {
  const tabs = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find((each) => new URL(each.url).pathname === "/") ?? tabs[0];
  if (!tab) return clients.openWindow(path);
  tab.postMessage({ open: path });
  return tab.focus();
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(event.data.json())));
self.addEventListener("message", (event) => {
  if (event.data.show) event.waitUntil(show(event.data.show));
  if (event.data.close) event.waitUntil(close(event.data.close));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.path));
});
