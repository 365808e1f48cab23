import { createHmac, createPrivateKey, createPublicKey, createSecretKey, sign, verify } from 'node:crypto'
import { createMemoryStore } from '../../dist/stores/memory.js'
import { createSessions } from '../../dist/index.js'
import { nodeSessions } from '../../dist/frameworks/node.js'
import { nodeCrypto } from '../../dist/platform/node-crypto.js'
import { cookiesOf, createExchange } from '../support/request.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'

// What the two pieces of cryptography are worth that are Keyturn's own: here the platform does them.

const ORIGIN = 'https://app.example.com'
const ROUNDS = 120
const CALLS = 200
const SESSIONS = 1000
/** Longer than the windows in which a repeated token is no rotation. */
const STEP = 61_000
/** What a piece of our own must save here of a miss or of a refresh: docs/decisions/0006-platform-crypto.md. */
const WORTH = 0.05

type Crypto = typeof nodeCrypto

const signing: Crypto['signer'] = (algorithm, jwk) => {
  if (algorithm !== 'ES256') throw new TypeError('this benchmark signs with ES256')
  const key = { key: createPrivateKey({ key: { ...jwk }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  return input => sign('sha256', Buffer.from(input), key).toString('base64url')
}

const verifying: Crypto['verifier'] = (algorithm, jwk) => {
  if (algorithm !== 'ES256') throw new TypeError('this benchmark verifies ES256')
  const key = { key: createPublicKey({ key: { ...jwk }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  return (input, signature) => verify('sha256', Buffer.from(input), key, Buffer.from(signature, 'base64url'))
}

const mac: Crypto['mac'] = key => {
  const secret = createSecretKey(key)
  return message => createHmac('sha256', secret).update(message).digest('base64url')
}

/** As published, and with one piece by the platform. */
const contenders: Readonly<Record<string, Crypto>> = {
  'as published': nodeCrypto,
  'ES256 signatures in the form of a JWT, by `dsaEncoding`': { ...nodeCrypto, signer: signing, verifier: verifying },
  'HMAC, by `createHmac`': { ...nodeCrypto, mac },
}

/** Makes an operation of one kind; a call of it is one slice, and returns microseconds of CPU per operation. */
type Workload = (crypto: Crypto) => Promise<() => Promise<number>>

const workloads: Readonly<Record<string, Workload>> = {
  'a verification, token not in the cache': async crypto => {
    const { sessions, jars } = await open(crypto, { tokenCacheSize: 0 })
    return slice(async index => {
      const { request, response } = createExchange({ cookie: jars[index] ?? '', origin: ORIGIN })
      await sessions.getSession(request, response, false)
    })
  },
  'a refresh, memory': async crypto => {
    let now = Date.now()
    const { sessions, jars } = await open(crypto, { clock: () => now })
    return slice(async index => {
      if (index === 0) now += STEP
      const { request, response } = createExchange({ cookie: jars[index] ?? '', origin: ORIGIN })
      request.method = 'POST'
      await sessions.refreshSession(request, response)
      jars[index] = cookiesOf(response).join('; ')
    })
  },
}

async function open(crypto: Crypto, options: object): Promise<{
  readonly sessions: ReturnType<typeof nodeSessions>
  readonly jars: string[]
}> {
  const sessions = nodeSessions(createSessions({ origin: ORIGIN, store: createMemoryStore(), crypto, ...options }))
  const jars: string[] = []
  for (let count = 0; count < SESSIONS; count++) {
    const { request, response } = createExchange({})
    await sessions.createNewSession(request, response, 'ada', { role: 'admin', plan: 'team' })
    jars.push(cookiesOf(response).join('; '))
  }
  return { sessions, jars }
}

function slice(operation: (index: number) => Promise<void>): () => Promise<number> {
  let index = 0
  return async () => {
    const start = process.cpuUsage()
    for (let call = 0; call < CALLS; call++) await operation(index++ % SESSIONS)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / CALLS
  }
}

/** Measures the pieces, and fails if one saves less than a tenth of a miss and of a refresh. */
export async function comparePlatform(): Promise<void> {
  const rows: { readonly workload: string; readonly piece: string; readonly cpu: number; readonly saved: number }[] = []
  for (const [workload, make] of Object.entries(workloads)) {
    const slices = new Map<string, () => Promise<number>>()
    for (const [piece, crypto] of Object.entries(contenders)) slices.set(piece, await make(crypto))
    const rounds: Record<string, number>[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const result: Record<string, number> = {}
      const order = round % 2 === 0 ? [...slices] : [...slices].reverse()
      for (const [piece, run] of order) result[piece] = await run()
      rounds.push(result)
    }
    const of = (round: Record<string, number>, piece: string): number => round[piece] ?? Number.NaN
    for (const piece of slices.keys()) {
      rows.push({
        workload, piece, cpu: median(rounds.map(round => of(round, piece))),
        saved: median(rounds.map(round => 1 - of(round, 'as published') / of(round, piece))),
      })
    }
  }
  const pieces = Object.keys(contenders).filter(piece => piece !== 'as published')
  const most = (piece: string): number => Math.max(...rows.filter(row => row.piece === piece)
    .map(({ saved }) => saved))
  writeReport('platform', { machine: machine(), rounds: ROUNDS, calls: CALLS, rows }, [
    '# What is our own in the cryptography',
    '',
    'ES256 signatures have one form in a JWT and another in OpenSSL. Keyturn converts them itself, in `ecdsa-signature.ts`;',
    '`node:crypto` does it on demand, by `dsaEncoding`. HMAC is two calls of `hash` in `node-crypto.ts`. All other cryptography',
    'is the platform\'s. `node:http` objects go in, a session or new tokens come out;',
    `${ROUNDS} alternating slices of ${CALLS} calls in one process. Repeat with \`npm run bench -- platform\`.`,
    '',
    machine(),
    '',
    '| operation | cryptography | CPU, µs | saved by our own |',
    '|---|---|--:|--:|',
    ...rows.map(({ workload, piece, cpu, saved }) => (
      `| ${workload} | ${piece} | ${cpu.toFixed(1)} | ${piece === 'as published' ? '' : saved.toFixed(2)} |`
    )),
    '',
    ...pieces.map(piece => (
      `- ${piece}: must save ${WORTH} of a miss or of a refresh; saves ${most(piece).toFixed(2)}: `
        + `${most(piece) >= WORTH ? 'reached' : '**missed**'}.`
    )),
  ])
  if (pieces.some(piece => most(piece) < WORTH)) process.exitCode = 1
}
