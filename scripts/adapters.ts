// Writes the table of docs/frameworks.md that lists the calls of each adapter, from the adapters themselves and the
// names of the framework contract: npm run reference
import { Catch, createParamDecorator } from '@nestjs/common'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSessions } from '../src/create-sessions.ts'
import { expressSessions } from '../src/frameworks/express.ts'
import { fastifySessions } from '../src/frameworks/fastify.ts'
import { h3Sessions } from '../src/frameworks/h3.ts'
import { honoSessions } from '../src/frameworks/hono.ts'
import { koaSessions } from '../src/frameworks/koa.ts'
import { nestSessions } from '../src/frameworks/nest.ts'
import { nextSessions } from '../src/frameworks/next.ts'
import { nodeSessions } from '../src/frameworks/node.ts'
import { svelteKitSessions } from '../src/frameworks/sveltekit.ts'
import { webSessions } from '../src/frameworks/web.ts'
import { createMemoryStore } from '../src/stores/memory.ts'
import { adapterCalls, offeredCalls } from '../src/testing/framework-contract/fixture.ts'

type Call = (typeof adapterCalls)[number]

/** The path of the guide that contains the table. */
export const guidePath: string = join(import.meta.dirname, '../docs/frameworks.md')

const sessions = createSessions({ origin: 'https://app.example.com', store: createMemoryStore() })
const unused = (): never => {
  throw new Error('this is never called')
}

const argument = { sessionOf: 'argument' }

/** Each adapter, and what its framework uses instead of a call that the adapter lacks. */
const columns: readonly (readonly [title: string, adapter: object, otherwise: Partial<Record<Call, string>>])[] = [
  ['node', nodeSessions(sessions), {}],
  ['Express', expressSessions(sessions), {}],
  ['Fastify', fastifySessions(sessions), {}],
  ['Koa', koaSessions(sessions), {}],
  ['Hono', honoSessions(sessions), {}],
  ['h3', h3Sessions(sessions), {}],
  ['web', webSessions(sessions), { ...argument, errorHandler: 'in `handler`' }],
  ['Next', nextSessions(sessions, { headers: unused, cookies: unused, io: unused }), {
    ...argument, errorHandler: 'in `handler`',
  }],
  ['SvelteKit', svelteKitSessions(sessions, { error: unused }), {
    ...argument, sessionRoutes: 'in `handle`', errorHandler: '`error`',
  }],
  ['Nest', nestSessions(sessions, { Catch, createParamDecorator }), {}],
]

/** Generates the table. */
export function writeTable(): string {
  const cell = (call: Call, [title, adapter, otherwise]: (typeof columns)[number]): string => {
    const isOffered = offeredCalls(adapter).includes(call)
    if (isOffered === call in otherwise) throw new Error(`${title}: what does it have for ${call}?`)
    return isOffered ? '✓' : otherwise[call] ?? ''
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(['call', ...columns.map(([title]) => title)]),
    line(['---', ...columns.map(() => '---')]),
    ...adapterCalls.map(call => line([`\`${call}\``, ...columns.map(column => cell(call, column))])),
  ].join('\n')
}

const place = /(?<=<!-- Written by scripts\/adapters\.ts\. Do not edit\. -->\n\n)(?:\|.*\n)*/

/** Replaces the table in the guide. */
export function writeGuide(guide: string): string {
  return guide.replace(place, () => `${writeTable()}\n`)
}

if (import.meta.main) writeFileSync(guidePath, writeGuide(readFileSync(guidePath, 'utf8')))
