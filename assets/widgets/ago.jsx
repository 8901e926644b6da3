import { createElement as h, memo, useEffect, useReducer } from "react";

// One clock for every time on the page: each tick repaints them together, and so does another language or zone.
const painters = new Set();
const repaint = () => painters.forEach((paint) => paint());
setInterval(repaint, 30_000);
if (typeof window !== "undefined") window.addEventListener("tandem:person", repaint);

const settings = () => {
  const { locale, timeZone } = window.tandem?.person ?? {};
  return { locale: locale || undefined, timeZone: timeZone || undefined };
};

// Making a formatter takes as long as painting a row, and a page shows a hundred times.
const formatters = new Map();
const format = (date, locale, options) => {
  const key = JSON.stringify([locale, options]);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(locale, options));
  return formatters.get(key).format(date);
};

const day = (date, timeZone) => format(date, "en-CA", { timeZone });

/** "now", "9 min", "3 h", "Mon", "12 Oct", "Oct 2024"; long: "9 min", "Mon 10:42", "12 Oct 10:42". */
const words = (date, long, exactly) => {
  const { locale, timeZone } = settings();
  const said = (options) => format(date, locale, { timeZone, ...options });
  const now = new Date();
  const minutes = Math.floor((now - date) / 60_000);
  if (!exactly && minutes >= -1 && minutes < 1) return "now";
  if (!exactly && minutes > 0 && minutes < 60) return `${minutes} min`;
  const clock = { hour: "2-digit", minute: "2-digit" };
  if (day(date, timeZone) === day(now, timeZone)) return long ? said(clock) : `${Math.floor(minutes / 60)} h`;
  if (minutes > 0 && minutes < 6 * 24 * 60)
    return said(long ? { weekday: "short", ...clock } : { weekday: "short" });
  if (Math.abs(minutes) < 300 * 24 * 60)
    return said({ day: "numeric", month: "short", ...(long ? clock : {}) });
  return said({ month: "short", year: "numeric", ...(long ? { day: "numeric" } : {}) });
};

const exact = (date) => {
  const { locale, timeZone } = settings();
  return format(date, locale, { timeZone, dateStyle: "full", timeStyle: "short" });
};

/** A day that comes: "14:00" today, "Tue" within the week, "1 Dec" later. */
const comes = (date) => {
  const { locale, timeZone } = settings();
  const said = (options) => format(date, locale, { timeZone, ...options });
  if (day(date, timeZone) === day(new Date(), timeZone)) return said({ hour: "2-digit", minute: "2-digit" });
  return date - new Date() < 6.5 * 24 * 3_600_000 ? said({ weekday: "short" }) : said({ day: "numeric", month: "short" });
};
if (typeof window !== "undefined") (window.tandem ??= {}).comes = comes;

/** `clock`: the time of the day even of what was a minute ago, "10:42", "Mon 10:42", "12 Oct 10:42". */
export const Ago = memo(({ at, long, clock, until }) => {
  const [, paint] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    painters.add(paint);
    return () => painters.delete(paint);
  }, []);
  const date = new Date(at);
  if (!at || Number.isNaN(date.getTime()) || typeof window === "undefined") return null;
  return h("time", { className: "ago", dateTime: at, title: exact(date) }, until ? comes(date) : words(date, long || clock, clock));
});
