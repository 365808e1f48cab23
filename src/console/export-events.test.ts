import { describe, expect, test } from 'vitest'
import type { ConsoleEvent } from './api-types.ts'
import { csvField, csvOf, jsonOf, streamOf } from './export-events.ts'

const audit: ConsoleEvent = {
  kind: 'audit', id: '1', at: 0, until: 1, userId: '=cmd|"/c calc"!A1', handle: null, action: 'export',
  operator: '@ada',
  role: 'read', stage: 'done', changeId: 'x', sentence: 'Exported, "all".\nYes',
}
const theft: ConsoleEvent = {
  kind: 'theft', id: '2', at: 1000, until: 1, userId: 'bob', handle: 'h', isRevoked: true, reason: null,
  sentence: 'Two.',
  presented: { generation: 1, branch: 0, at: 500, by: { ip: '192.0.2.1', userAgent: '-1+1', deviceName: null } },
  current: null,
}

async function* pagesOf(...pages: readonly (readonly ConsoleEvent[])[]): AsyncGenerator<readonly ConsoleEvent[]> {
  yield* pages
}

async function textOf(texts: AsyncGenerator<string>): Promise<string> {
  return new Response(streamOf(texts)).text()
}

describe('CON-17: an export', () => {
  test.each([
    ['=1+1', "\"'=1+1\""], ['+1', "\"'+1\""], ['-1', "\"'-1\""], ['@SUM(A1)', "\"'@SUM(A1)\""], ['\t=1', "\"'\t=1\""],
    ['\r=1', "\"'\r=1\""], ['  =1', "\"'  =1\""], ['\uff1d1', "\"'\uff1d1\""], ['|calc', "\"'|calc\""],
    ['%0A', "\"'%0A\""],
    ['\nx', "\"'\nx\""], ['a=1', 'a=1'], ['a,b', '"a,b"'], ['a"b', '"a""b"'], ['a;b', '"a;b"'], [null, ''], [-5, '-5'],
  ])('writes %j so that no spreadsheet runs it: %j', (value, field) => {
    expect(csvField(value)).toBe(field)
  })

  test('as CSV has one line per event and the same columns in each', async () => {
    const text = await textOf(csvOf(pagesOf([audit], [], [theft])))
    const [head = '', ...others] = text.split('\r\n')
    expect(head.split(',').slice(0, 4)).toEqual(['id', 'kind', 'time', 'user_id'])
    expect(others).toHaveLength(3)
    expect(text).toContain('"\'=cmd|""/c calc""!A1"')
    expect(text).toContain('"\'@ada"')
    expect(others[1]).toContain('2,theft,1970-01-01T00:00:01.000Z,bob,h,Two.')
    expect(others[1]).toContain('"\'-1+1"')
  })

  test('as JSON is one array, also if it is empty', async () => {
    expect(JSON.parse(await textOf(jsonOf(pagesOf([audit], [theft]))))).toEqual([audit, theft])
    expect(JSON.parse(await textOf(jsonOf(pagesOf([], []))))).toEqual([])
  })

  test('is read no faster than it is taken, and ends when the client goes away', async () => {
    const seen: string[] = []
    async function* endless(): AsyncGenerator<readonly ConsoleEvent[]> {
      try {
        for (;;) {
          seen.push('page')
          yield [audit]
        }
      } finally {
        seen.push('closed')
      }
    }
    const reader = streamOf(jsonOf(endless())).getReader()
    await reader.read()
    await reader.read()
    await reader.cancel()
    expect(seen.filter(each => each === 'page').length).toBeLessThanOrEqual(2)
    expect(seen.at(-1)).toBe('closed')
  })

  test('fails in the middle if the store fails, so that nobody takes a part for the whole', async () => {
    async function* failing(): AsyncGenerator<readonly ConsoleEvent[]> {
      yield [audit]
      throw new Error('the store is away')
    }
    await expect(textOf(csvOf(failing()))).rejects.toThrow()
  })
})
