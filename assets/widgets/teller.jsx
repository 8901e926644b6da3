import { useEffect, useRef, useState } from "react";

const ready = (found, tries = 200) => {
  const notify = window.tandem?.notify;
  if (notify) found(notify);
  else if (tries) setTimeout(() => ready(found, tries - 1), 50);
};

// Hands what the state knows to assets/js/notify.js, and what that saw back to the state.
export function Teller(props) {
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => ready((notify) => notify.tell(props.telling, (id) => latest.current.onSaw?.(id))), [props.telling]);
  useEffect(() => ready((notify) => notify.stillUnread(props.unread)), [props.unread]);
  useEffect(() => {
    // Signing in anew ended the device with the old session: the same person here is pushed to again.
    const key = `tandem-pushed-${props.me}`;
    if (!props.me || sessionStorage.getItem(key)) return;
    ready(async (notify) => {
      const known = await notify.subscription(props.me);
      sessionStorage.setItem(key, "yes");
      if (known) latest.current.onDevice?.(known);
    });
  }, [props.me]);
  return null;
}

// This browser's part of the settings.
export function PushHere(props) {
  const [permission, setPermission] = useState("");
  const [pushed, setPushed] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);

  const look = (notify) =>
    notify.worker.then(async (registration) => {
      setPermission(registration && window.Notification ? Notification.permission : "missing");
      setPushed((await notify.subscription(props.me)) !== null);
    });
  useEffect(() => {
    if (props.me) ready(look);
  }, [props.me]);

  const doing = (deed) => () =>
    ready(async (notify) => {
      setBusy(true);
      setTrouble("");
      try {
        await deed(notify);
      } catch {
        setTrouble("The push service of this browser could not be reached. Try again later.");
      }
      await look(notify);
      setBusy(false);
    });
  const allow = doing(async () => {
    await Notification.requestPermission();
  });
  const turnOn = doing(async (notify) => props.onDevice?.(await notify.subscribe(props.publicKey, props.me)));
  const turnOff = doing(async (notify) => props.onGone?.(await notify.unsubscribe()));

  const line = (text, label, deed) => (
    <div className="push-line">
      <p>{text}</p>
      {label && (
        <button type="button" className="btn" onClick={deed} disabled={busy}>
          {label}
        </button>
      )}
    </div>
  );
  return (
    <div className="push-here">
      {permission === "missing" && line("This browser cannot show notifications of this address. It needs https.")}
      {permission === "denied" &&
        line("This browser blocks notifications of Tandem. Allow them in its settings for this address.")}
      {permission === "default" &&
        line("This browser has not been asked yet whether it may show notifications.", "Allow notifications", allow)}
      {permission === "granted" && line("This browser shows notifications while Tandem is open in a tab.")}
      {permission === "granted" &&
        props.available &&
        (pushed
          ? line("It is told when no tab is open, too.", "Turn push off", turnOff)
          : line("Push tells you when no tab is open, too.", "Turn push on", turnOn))}
      {trouble && (
        <p className="refusal" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}
