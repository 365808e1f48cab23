/**
 * Compares two texts in a time that depends on their lengths alone (TOK-19).
 * For digests and authentication tags, whose lengths are no secret.
 */
export function constantTimeEqual(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index++) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index)
  }
  return difference === 0
}
