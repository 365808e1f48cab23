/** How many items at the beginning meet the condition, which no later item does. A binary search. Pure. */
export function partitionPoint<Item>(items: readonly Item[], meets: (item: Item) => boolean): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const item = items[middle]
    if (item !== undefined && meets(item)) low = middle + 1
    else high = middle
  }
  return low
}
