import { partitionPoint } from './partition-point.ts'

/** How many items a block has at most. To add or remove one moves fewer than that. */
const BLOCK = 512

/** Items in an order, however many. */
export interface OrderedList<Position, Item extends Position> {
  add(item: Item): void
  /** Removes the item that is neither before nor after this one. */
  remove(item: Item): void
  /** At most `limit` of the items before the position, the nearest first. */
  before(position: Position, limit: number): readonly Item[]
}

/** Creates an empty list. `isBefore` is a strict total order. */
export function createOrderedList<Position, Item extends Position>(
  isBefore: (left: Position, right: Position) => boolean,
): OrderedList<Position, Item> {
  /** No block is empty. */
  const blocks: Item[][] = []

  /** The first block whose last item is not before the position. */
  const blockAt = (position: Position): number => partitionPoint(blocks, block => {
    const last = block.at(-1)
    return last !== undefined && isBefore(last, position)
  })
  const indexIn = (block: readonly Item[], position: Position): number => (
    partitionPoint(block, item => isBefore(item, position))
  )

  return {
    add(item) {
      const index = Math.min(blockAt(item), Math.max(0, blocks.length - 1))
      const block = blocks[index]
      if (block === undefined) {
        blocks.push([item])
        return
      }
      block.splice(indexIn(block, item), 0, item)
      if (block.length <= BLOCK) return
      // Items are mostly added at the end: then the full block stays full.
      const rest = index === blocks.length - 1 ? block.splice(BLOCK) : block.splice(BLOCK >> 1)
      blocks.splice(index + 1, 0, rest)
    },
    remove(item) {
      const index = blockAt(item)
      const block = blocks[index]
      if (block === undefined) return
      const place = indexIn(block, item)
      const found = block[place]
      if (found === undefined || isBefore(item, found)) return
      block.splice(place, 1)
      if (block.length === 0) blocks.splice(index, 1)
    },
    before(position, limit) {
      const found: Item[] = []
      for (let index = Math.min(blockAt(position), blocks.length - 1); index >= 0 && found.length < limit; index--) {
        const block = blocks[index] ?? []
        const end = indexIn(block, position)
        found.push(...block.slice(Math.max(0, end - (limit - found.length)), end).reverse())
      }
      return found
    },
  }
}
