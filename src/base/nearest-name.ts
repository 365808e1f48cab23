/**
 * The known name that is nearest to a misspelt one, for "did you mean". Null if none is near: a name is near if at most
 * a third of its characters, and at most three, are added, left out, changed or swapped with the next one. Ignores
 * case.
 * @example
 * nearestName('samesite', ['sameSite', 'domain']) // 'sameSite'
 */
export function nearestName(name: string, known: readonly string[]): string | null {
  let nearest: string | null = null
  let least = Math.min(3, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = distanceBetween(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    nearest = candidate
    least = distance
  }
  return nearest
}

/** The edit distance of two strings (optimal string alignment). */
function distanceBetween(from: string, to: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[line - 1] === to[column - 1]
      const isSwapped = line > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1]
      next.push(Math.min(
        (row[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (row[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      ))
    }
    before = row
    row = next
  }
  return row[to.length] ?? 0
}
