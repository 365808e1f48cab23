/** The calls of several processes, by method. */
export function sumCalls(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const calls of counts) {
    for (const [method, count] of Object.entries(calls)) total[method] = (total[method] ?? 0) + count
  }
  return total
}
