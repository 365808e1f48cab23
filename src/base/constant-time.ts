/**
 * Compares two strings in constant time: the time depends on their lengths only (TOK-19). For digests and
 * authentication tags, whose lengths are not secret.
 */
export function constantTimeEqual(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index++) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index)
  }
  return difference === 0
}
