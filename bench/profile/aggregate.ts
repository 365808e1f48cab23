import { existsSync, readFileSync } from 'node:fs'
import type { HeapProfiler, Profiler, Runtime } from 'node:inspector'
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The own cost of a function, without the functions that it calls. */
export interface Share {
  readonly name: string
  /** The source file and line, or the part of the runtime. */
  readonly place: string
  /** Microseconds or bytes per operation. */
  readonly value: number
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const maps = new Map<string, SourceMap | null>()

/** Self time per function, in microseconds per operation, largest first. */
export function selfTimes(profile: Profiler.Profile, operations: number): readonly Share[] {
  const nodes = new Map(profile.nodes.map(node => [node.id, node]))
  const harness = new Set<number>()
  // The list has a node before its children.
  for (const { id, callFrame, children = [] } of profile.nodes) {
    if (preparesRequests(callFrame)) harness.add(id)
    if (harness.has(id)) for (const child of children) harness.add(child)
  }
  const totals = new Totals()
  const deltas = profile.timeDeltas ?? []
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const node = nodes.get(id)
    // A sample stands for the time until the next one.
    if (node !== undefined && !harness.has(id)) totals.add(node.callFrame, Math.max(0, deltas[index + 1] ?? 0))
  }
  return totals.shares(operations)
}

/** Bytes that each function allocated, per operation, largest first, including those that were freed since. */
export function selfBytes(profile: HeapProfiler.SamplingHeapProfile, operations: number): readonly Share[] {
  const totals = new Totals()
  const visit = (node: HeapProfiler.SamplingHeapProfileNode): void => {
    if (preparesRequests(node.callFrame)) return
    totals.add(node.callFrame, node.selfSize)
    for (const child of node.children) visit(child)
  }
  visit(profile.head)
  return totals.shares(operations)
}

/** Whether this frame and its children belong to Node's HTTP parser. */
function preparesRequests({ functionName, url }: Runtime.CallFrame): boolean {
  return functionName === 'prepare' && url.endsWith('/bench/profile/scenes.ts')
}

/** Whether this frame, without its children, belongs to the measurement. Most collected memory is of the requests. */
function measures({ functionName, url }: Runtime.CallFrame): boolean {
  return functionName === '(idle)' || functionName === '(garbage collector)'
    || url.includes('/bench/') || url.startsWith('node:inspector') || url.includes('timers')
}

class Totals {
  readonly #totals = new Map<string, { readonly frame: Runtime.CallFrame; total: number }>()

  add(frame: Runtime.CallFrame, amount: number): void {
    if (measures(frame)) return
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}:${frame.columnNumber}`
    const entry = this.#totals.get(key) ?? { frame, total: 0 }
    entry.total += amount
    this.#totals.set(key, entry)
  }

  shares(operations: number): readonly Share[] {
    return [...this.#totals.values()]
      .map(({ frame, total }) => ({
        name: frame.functionName || '(anonymous)', place: placeOf(frame), value: total / operations,
      }))
      .filter(({ value }) => value > 0)
      .sort((left, right) => right.value - left.value)
  }
}

/** The place of a function: in the sources if the compiled file has a source map. */
function placeOf({ url, lineNumber, columnNumber }: Runtime.CallFrame): string {
  if (!url.startsWith('file:')) return url === '' ? 'runtime' : url
  const file = fileURLToPath(url)
  const origin = mapOf(file)?.findEntry(lineNumber, columnNumber)
  if (origin === undefined || !('originalSource' in origin)) return `${relative(root, file)}:${lineNumber + 1}`
  const source = fileURLToPath(new URL(origin.originalSource, url))
  return `${relative(root, source)}:${origin.originalLine + 1}`
}

function mapOf(file: string): SourceMap | null {
  const known = maps.get(file)
  if (known !== undefined) return known
  const path = `${file}.map`
  const map = existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : null
  maps.set(file, map)
  return map
}
