import { expect } from 'vitest'
import type { SessionHandle } from '../../src/base/handle.ts'
import type { ChangePage, SessionStore } from '../../src/session/store.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'

/**
 * Expects that a reader that follows the log receives every session once, while several stores on one database revoke
 * them side by side: 20 at a time, and not the next before the reader has read on.
 */
export async function expectNothingSkipped(reader: SessionStore, writers: readonly SessionStore[]): Promise<void> {
  const handles = Array.from({ length: 160 }, (_, number) => sampleHandle(number))
  await Promise.all(handles.map(handle => reader.insert(sampleRecord({ handle }))))
  const seen: SessionHandle[] = []
  let writing = true
  let noteRead = (): void => undefined
  const reading = (async () => {
    let cursor: string | null = null
    for (;;) {
      const last = !writing
      const page: ChangePage = await reader.changesSince(cursor, 7)
      seen.push(...page.changes.flatMap(change => change.kind === 'revoked' ? change.handles : []))
      cursor = page.cursor
      noteRead()
      if (last && !page.more) return
    }
  })()
  for (let from = 0; from < handles.length; from += 20) {
    const read = new Promise<void>(resolve => {
      noteRead = resolve
    })
    await Promise.all(handles.slice(from, from + 20).map(async (handle, index) => (
      writers[index % writers.length]?.remove([handle], sampleNow + minute)
    )))
    await read
  }
  expect(seen, 'it read while they wrote').not.toEqual([])
  writing = false
  await reading
  expect(seen.toSorted()).toEqual(handles.toSorted())
}
