import {
  AlarmClock, ArrowDown, ArrowLeft, ArrowUp, AtSign, Ban, Bell, BellPlus, BookOpen, Building2, Check, CircleAlert,
  CircleCheck, Command, Contact, Files, Forward, Inbox, Key, Keyboard, KeyRound, Link, ListChecks, ListFilter, Lock,
  LockOpen, LogOut, Mail, MailCheck, MailOpen, Merge, MessageSquare, Moon, NotebookText, Pencil, Reply, ReplyAll,
  ScrollText, Search, Send, Settings, Shield, ShieldAlert, ShieldCheck, Signature, Split, SquareArrowRight, SquareCheck,
  SquarePen, Star, Sun, Tag, Trash2, Undo2, User, UserCheck, UserPlus, Users, UsersRound, UserX, X,
} from "lucide-react";

// The icons that frontend/commands.py names, and those of things.
const ICONS = {
  "arrow-down": ArrowDown, "arrow-left": ArrowLeft, "arrow-up": ArrowUp, "at-sign": AtSign, ban: Ban, bell: Bell,
  "bell-plus": BellPlus, "book-open": BookOpen, "building-2": Building2, check: Check, "circle-alert": CircleAlert,
  "circle-check": CircleCheck, clock: AlarmClock, command: Command, comment: MessageSquare, contact: Contact,
  conversation: Mail, files: Files, forward: Forward, inbox: Inbox, key: Key, keyboard: Keyboard,
  "key-round": KeyRound, link: Link, "list-checks": ListChecks, "list-filter": ListFilter, lock: Lock,
  "lock-open": LockOpen, "log-out": LogOut, mail: Mail, "mail-check": MailCheck, "mail-open": MailOpen, merge: Merge,
  moon: Moon, move: SquareArrowRight, "notebook-text": NotebookText, pencil: Pencil, reply: Reply,
  "reply-all": ReplyAll, "scroll-text": ScrollText, search: Search, send: Send, settings: Settings, shield: Shield,
  "shield-alert": ShieldAlert, "shield-check": ShieldCheck, signature: Signature, split: Split,
  "square-check": SquareCheck, "square-pen": SquarePen, star: Star, sun: Sun, tag: Tag, trash: Trash2, undo: Undo2,
  user: User, "user-check": UserCheck, "user-plus": UserPlus, "user-x": UserX, users: Users, "users-round": UsersRound,
  x: X,
};

export function Icon({ name, size = 16 }) {
  const Drawn = ICONS[name] ?? ICONS.command;
  return <Drawn size={size} className="icon" aria-hidden="true" />;
}
