/** Whether a file is a video, as far as its type or its name says. */
export function isVideo({ type }: Blob, name: string): boolean {
  return type.startsWith('video/') || (type === '' && /\.(mp4|m4v|mov|webm|mkv)$/i.test(name));
}
