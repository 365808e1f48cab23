/**
 * The value below which a part of the values lies, of a distribution that is known by buckets: `counts` are how many
 * were not longer than each bound, and the last counts all. Within a bucket, values count as evenly spread; beyond the
 * last bound as on it. Null without values. Pure.
 */
export function quantile(bounds: readonly number[], counts: readonly number[], part: number): number | null {
  const total = counts.at(-1) ?? 0
  if (total <= 0) return null
  const rank = part * total
  const bucket = counts.findIndex(count => count >= rank)
  const upper = bounds[bucket]
  if (upper === undefined) return bounds.at(-1) ?? null
  const [lower, before] = bucket === 0 ? [0, 0] : [bounds[bucket - 1] ?? 0, counts[bucket - 1] ?? 0]
  const inside = (counts[bucket] ?? 0) - before
  return lower + (upper - lower) * (inside === 0 ? 1 : (rank - before) / inside)
}

/** What was added to counts between two readings; missing counts are 0. Pure. */
export function added(before: readonly number[], after: readonly number[]): readonly number[] {
  return after.map((count, index) => count - (before[index] ?? 0))
}
