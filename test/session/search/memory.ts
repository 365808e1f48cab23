// A store that may lose its newest rotations, once: from some moment on they are not durable, and later it falls back
// to the record of that moment.
import { cutOff, isSameRecord, keyOfRecord, older, renameRecord } from './ageing.ts'
import type { Horizon } from './ageing.ts'
import { generationOf } from './paths.ts'
import type { Path } from './paths.ts'
import type { CompactRecord } from './record.ts'

/** Which writes the store may lose. */
export interface Memory {
  /** `reliable`: it loses nothing, or has adopted a token after it lost rotations. */
  readonly phase: 'durable' | 'volatile' | 'forgot' | 'reliable'
  /** The record that it falls back to; null unless `volatile`. */
  readonly kept: CompactRecord | null
}

export const mayForget: Memory = { phase: 'durable', kept: null }
export const hasForgotten: Memory = { phase: 'forgot', kept: null }
export const forgetsNothing: Memory = { phase: 'reliable', kept: null }

/** The store falls back to this record if it loses rotations. */
export function keeps(record: CompactRecord): Memory {
  return { phase: 'volatile', kept: record }
}

/** The record that the store would lose now; null if none. */
export function forgotten({ kept }: Memory, record: CompactRecord): CompactRecord | null {
  return kept === null || isSameRecord(kept, record) ? null : kept
}

/** After a re-authentication, which is durable before it is acknowledged. */
export function keepsAtLeast(memory: Memory, record: CompactRecord): Memory {
  return memory.kept === null ? memory : keeps(record)
}

export function olderMemory(memory: Memory): Memory {
  return memory.kept === null ? memory : keeps(older(memory.kept))
}

/** With ages cut off. A store that would lose more than `most` rotations loses fewer instead. */
export function cutOffMemory(memory: Memory, record: CompactRecord, horizon: Horizon, most: number): Memory {
  const { kept } = memory
  if (kept === null) return memory
  if (generationOf(record.current) - generationOf(kept.current) > most) return mayForget
  const cut = cutOff(kept, horizon)
  return cut === kept ? memory : keeps(cut)
}

export function renameMemory(memory: Memory, rename: (token: Path) => Path): Memory {
  return memory.kept === null ? memory : keeps(renameRecord(memory.kept, rename))
}

export function keyOfMemory({ phase, kept }: Memory): string {
  return phase[0] + (kept === null ? '' : keyOfRecord(kept))
}
