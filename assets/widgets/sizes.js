/** Bytes in words, as frontend/sizes.py says them: 14 KB, 1.8 MB, 2.0 GB. */
export const sizeOf = (bytes) =>
  bytes < 2 ** 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MB` : `${(bytes / 2 ** 30).toFixed(1)} GB`;
