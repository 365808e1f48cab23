/** The beginning of a text: at most so many UTF-16 code units, and never half of a surrogate pair at its end. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}
