/** The first `length` UTF-16 code units of a string, or one fewer where the last would be half of a surrogate pair. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}
