// The emoji that people put into mail, with the words by which they look for them.
export const EMOJI = [
  ["😀", "smile happy"], ["😄", "laugh happy"], ["😂", "tears laughing"], ["🙂", "slight smile"], ["😉", "wink"], ["😊", "blush thanks"],
  ["😍", "heart eyes love"], ["🤗", "hug"], ["🤔", "thinking"], ["😅", "sweat relief"], ["😬", "grimace awkward"], ["😢", "sad cry"],
  ["😞", "disappointed sorry"], ["😮", "surprised"], ["😴", "sleep tired"], ["🤒", "ill sick"], ["🙈", "oops monkey"], ["🥳", "party celebrate"],
  ["👍", "thumbs up yes"], ["👎", "thumbs down no"], ["👌", "okay"], ["👏", "clap well done"], ["🙏", "please thanks"], ["🤝", "handshake deal"],
  ["💪", "strong"], ["👋", "wave hello bye"], ["✌️", "victory peace"], ["🤞", "fingers crossed luck"], ["👀", "eyes look"], ["❤️", "heart love"],
  ["💙", "blue heart"], ["💚", "green heart"], ["🎉", "party celebrate"], ["🎁", "present gift"], ["🎂", "cake birthday"], ["🥂", "cheers glasses"],
  ["☕", "coffee"], ["🍀", "luck clover"], ["☀️", "sun summer"], ["❄️", "snow winter"], ["🎄", "tree christmas"], ["🌍", "world earth"],
  ["✅", "check done"], ["❌", "cross no"], ["⚠️", "warning"], ["❗", "exclamation important"], ["❓", "question"], ["💡", "idea bulb"],
  ["📎", "paperclip attachment"], ["📅", "calendar date"], ["📞", "phone call"], ["📧", "mail"], ["📦", "parcel delivery"], ["🚚", "truck delivery"],
  ["🛠️", "tools repair"], ["🔒", "lock safe"], ["🔑", "key"], ["💶", "money euro"], ["🧾", "receipt invoice"], ["📈", "chart up"],
  ["🚀", "rocket start"], ["⏰", "clock time"], ["⭐", "star"], ["🔥", "fire hot"],
];
