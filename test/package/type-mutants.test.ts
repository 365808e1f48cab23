// The type tests in test/types fail when a type of the package loosens.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { compile, newestCompiler } from '../support/package/compile.ts'
import type { Complaint } from '../support/package/compile.ts'
import { consumer } from '../support/package/pack.ts'

type Application = 'edge' | 'server' | 'browser' | 'schemas' | 'wrong'
type Mutant = readonly [name: string, application: Application, file: string, from: string, to: string]

const mutants: readonly Mutant[] = [
  ['a payload is any', 'edge', 'transport/session', 'getJwtPayload(): Readonly<OutputOf<Payload>>',
    'getJwtPayload(): any'],
  ['a payload is not read only', 'edge', 'transport/session', 'Readonly<OutputOf<Payload>>', 'OutputOf<Payload>'],
  ['session info is unknown', 'edge', 'transport/session', 'Promise<OutputOf<Info>>', 'Promise<unknown>'],
  ['any payload can be written', 'edge', 'transport/session', '(payload: UpdateOfPayload<Payload>)', '(payload: any)'],
  [
    'a session that need not be there is there', 'edge', 'transport/http-sessions',
    'OptionalSessionOptions<Payload>]): Promise<Session<Payload, Info> | null>',
    'OptionalSessionOptions<Payload>]): Promise<Session<Payload, Info>>',
  ],
  [
    'a session that was only read can be written', 'edge', 'transport/get-session',
    'readonly session: ReadonlySession<Payload>', 'readonly session: Session<Payload, object>',
  ],
  ['the origin is optional', 'edge', 'transport/http-policy', 'readonly origin: string', 'readonly origin?: string'],
  ['a lifetime may be anything', 'edge', 'session/policy', 'TokenLifetime?: Duration', 'TokenLifetime?: any'],
  ['a cookie may say anything', 'edge', 'transport/cookie-config', 'sameSite?: SameSite', 'sameSite?: string'],
  ['an error is not narrowed', 'edge', 'base/errors', 'error is AnySessionError', 'error is Error & { code: string }'],
  ['a code is any text', 'edge', 'base/errors', 'readonly code = "UNAUTHORIZED"', 'readonly code: any'],
  ['the issuer is optional', 'edge', 'verifier-options', 'readonly issuer: string', 'readonly issuer?: string'],
  ['a test signs in with any payload', 'edge', 'testing/sign-in', 'payload?: PayloadInput<Payload>', 'payload?: any'],
  ['a test may leave out the payload', 'wrong', 'testing/sign-in', 'extends [true, true]',
    'extends [boolean, boolean]'],
  ['a login may leave out the payload', 'wrong', 'session/data-types', 'InputOf<Data> ? true : false',
    'InputOf<Data> ? true : true'],
  ['reserved claims compile', 'wrong', 'session/data-types', 'string extends keyof Payload ? {',
    'keyof Payload extends never ? {'],
  ['an input has the type of the output', 'schemas', 'session/data-types', 'infer Input, unknown> ? Input',
    'infer Input, infer Output> ? Output'],
  ['a function may be stored', 'schemas', 'session/data-types', ' | ((...parameters: never) => unknown)', ''],
  ['Express: a guard has parameters of its own', 'server', 'frameworks/express', 'ExpressGuard;', 'RequestHandler;'],
  ['a declaration is missing', 'edge', 'transport/http-sessions', "from './session.ts'", "from './none.ts'"],
  [
    'any request has a session', 'server', 'frameworks/define-adapter',
    'sessionOf(request: Target[0])', 'sessionOf(request: any)',
  ],
  ['sessionOf finds any', 'server', 'frameworks/define-adapter', '): Session<Payload, Info>', '): any'],
  ['Express: a handler gets any', 'server', 'frameworks/express', 'session: Session<Payload, Info>', 'session: any'],
  ['Fastify: a handler gets any', 'server', 'frameworks/fastify', 'session: Session<Payload, Info>', 'session: any'],
  ['Hono: a handler gets any', 'server', 'frameworks/hono', 'session: Session<Payload, Info>', 'session: any'],
  ['Next.js: an action returns unknown', 'server', 'frameworks/next', '=> Promise<Result>', '=> Promise<unknown>'],
  ['Nest: its decorator is optional', 'server', 'frameworks/nest', 'readonly Catch:', 'readonly Catch?:'],
  ['tRPC: a context finds any', 'server', 'frameworks/trpc', 'GetSession<[], Payload, Info>', 'any'],
  ['a store takes any client', 'server', 'stores/redis', 'clientOrUrl: RedisClient | string', 'clientOrUrl: any'],
  ['a store migrates in any way', 'server', 'stores/postgres', "migrate?: 'auto' | 'manual'", 'migrate?: string'],
  ['a page always has a session', 'browser', 'client/client', 'Session<Payload> | null>', 'Session<Payload>>'],
  ['a page knows no claims', 'browser', 'client/session', '} ? Payload : JsonObject', '} ? JsonObject : JsonObject'],
  ['React: a view is any', 'browser', 'client/react', 'SessionView<PayloadOf<Sessions>>', 'any'],
  [
    'Vue: a view can be written', 'browser', 'client/vue',
    'Readonly<ShallowRef<SessionView<Payload>>>', 'ShallowRef<SessionView<Payload>>',
  ],
]

const folder = join(consumer, '../loosened')

function complaintsOf(application: Application): readonly Complaint[] {
  return compile(newestCompiler, folder, `types/${application}`, ['--skipLibCheck'])
}

beforeAll(() => {
  cpSync(consumer, folder, { recursive: true })
  cpSync(join(import.meta.dirname, '../types'), join(folder, 'types'), { recursive: true })
})

test.each(['edge', 'server', 'browser', 'schemas', 'wrong'] as const)('the application %s compiles as it is',
  application => {
    expect(complaintsOf(application)).toEqual([])
})

test.each(mutants)('noticed: %s', (_name, application, file, from, to) => {
  const path = join(folder, `node_modules/keyturn/dist/${file}.d.ts`)
  const sound = readFileSync(path, 'utf8')
  expect(sound.includes(from), `${file} says so`).toBe(true)
  writeFileSync(path, sound.replace(from, to))
  try {
    const complaints = complaintsOf(application)
    expect(complaints.length).toBeGreaterThan(0)
    // The declaration is looser, and not wrong.
    expect(complaints.filter(complaint => !complaint.file.startsWith('types/'))).toEqual([])
  } finally {
    writeFileSync(path, sound)
  }
})
