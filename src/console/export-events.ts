import type { ConsoleEvent } from './api-types.ts'

/** The columns of the CSV file. Times are in UTC. */
const columns: readonly (readonly [name: string, value: (event: ConsoleEvent) => string | number | null])[] = [
  ['id', event => event.id],
  ['kind', event => event.kind],
  ['time', event => timeOf(event.at)],
  ['user_id', event => event.userId],
  ['session', event => event.handle],
  ['sentence', event => event.sentence],
  ['operator', event => event.kind === 'audit' ? event.operator : null],
  ['role', event => event.kind === 'audit' ? event.role : null],
  ['action', event => event.kind === 'audit' ? event.action : null],
  ['stage', event => event.kind === 'audit' ? event.stage : null],
  ['revoked', event => event.kind === 'audit' ? null : String(event.isRevoked)],
  ...(['presented', 'current'] as const).flatMap(part => ([
    [`${part}_generation`, event => event.kind === 'audit' ? null : event[part]?.generation ?? null],
    [`${part}_branch`, event => event.kind === 'audit' ? null : event[part]?.branch ?? null],
    [`${part}_time`, event => event.kind === 'audit' || event[part] === null ? null : timeOf(event[part].at)],
    [`${part}_ip`, event => event.kind === 'audit' ? null : event[part]?.by.ip ?? null],
    [`${part}_user_agent`, event => event.kind === 'audit' ? null : event[part]?.by.userAgent ?? null],
  ] as const satisfies readonly (readonly [string, (event: ConsoleEvent) => string | number | null])[])),
]

/** Reads the whole log, page by page. */
export type EventPages = AsyncIterable<readonly ConsoleEvent[]>

/** The log as a CSV file (RFC 4180). */
export async function* csvOf(pages: EventPages): AsyncGenerator<string> {
  yield `${columns.map(([name]) => name).join(',')}\r\n`
  for await (const page of pages) {
    yield page.map(event => `${columns.map(([, value]) => csvField(value(event))).join(',')}\r\n`).join('')
  }
}

/** The log as a JSON array. */
export async function* jsonOf(pages: EventPages): AsyncGenerator<string> {
  let separator = '[\n'
  for await (const page of pages) {
    for (const event of page) {
      yield `${separator}${JSON.stringify(event)}`
      separator = ',\n'
    }
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}

/**
 * A field of a CSV file. Programs for spreadsheets run a field that begins like a formula; an apostrophe before it
 * makes it a text (ASVS 1.2.10). Pure.
 */
export function csvField(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[\s\u0000-\u001f]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|^[\t\r\n]/u.test(value) ? `'${value}` : value
  return /[",\r\n;\t']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A stream of texts in UTF-8. It asks for the next text when the client has taken the one before. */
export function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await texts.next()
      if (done === true) controller.close()
      else controller.enqueue(utf8.encode(value))
    },
    async cancel() {
      await texts.return(undefined)
    },
  }, { highWaterMark: 0 })
}

function timeOf(at: number): string {
  return new Date(at).toISOString()
}
