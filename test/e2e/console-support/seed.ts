import { createHandle } from '../../../src/base/handle.ts'
import type { SessionHandle } from '../../../src/base/handle.ts'
import { appendEvent } from '../../../src/session/event-log.ts'
import type { SessionRecord } from '../../../src/session/record.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { minute, sampleRecord } from '../../../src/testing/samples.ts'

/** User agents as browsers send them, and such as they do not. */
export const userAgents = {
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  chrome: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139 Safari/537',
  iphone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1',
  android: 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Mobile Safari/537.36',
} as const

/** Texts that must stay texts, wherever a stranger puts them. */
export const hostileTexts: readonly string[] = [
  '<img src=x onerror="document.title=\'hacked\'">', '<script>document.title="hacked"</script>',
  '"><svg onload=hacked()>', '{{constructor.constructor("hacked()")()}}', '${hacked()}', 'javascript:hacked()',
  '</textarea><iframe src=//x.test>', '\u202Egnp.exe\u202C', '\u2066isolated\u2069', 'ليلى بنت أحمد', 'x'.repeat(200),
  'a/b?c#d%25&e=f', '=cmd|calc', '%00', '..%2f..', '\u200B', '😀'.repeat(40), 'line\nbreak', "it's \"quoted\"",
  '&lt;b&gt;&amp;',
]

/** A generator of numbers that are the same in each run (mulberry32). */
function generator(): () => number {
  let state = 20_261_130
  return () => {
    state = state + 0x6d2b79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296
  }
}

const agents = Object.values(userAgents)
const hour = 60 * minute

/**
 * Sessions as those of an application at `now`: of 3000 users, from many addresses and devices. The user `ada` has 3 of
 * them, `many` has 60.
 */
export function sampleSessions(count: number, now: number): SessionRecord[] {
  const random = generator()
  const pick = <Value>(values: readonly Value[], fallback: Value): Value => (
    values[Math.floor(random() * values.length)] ?? fallback
  )
  return Array.from({ length: count }, (_, index) => {
    const createdAt = now - Math.floor(random() ** 2 * 20 * 24 * hour) - minute
    const rotatedAt = createdAt + Math.floor(random() * (now - createdAt))
    const address = Math.floor(random() * 250)
    return sampleRecord({
      handle: createHandle(index % 2 === 0 ? 'cookie' : 'header', length => (
        Uint8Array.from({ length }, () => Math.floor(random() * 256)))),
      userId: index < 3 ? 'ada' : index < 63 ? 'many' : `user-${Math.floor(random() * 3000)}`,
      tenantId: index % 10 === 9 ? 'acme' : 'public',
      createdAt, authenticatedAt: createdAt, rotatedAt, servedAt: rotatedAt,
      idleTimeout: 100 * 24 * hour,
      absoluteExpiry: index % 2 === 0 ? null : createdAt + 180 * 24 * hour,
      generation: Math.floor(random() * 400), branch: index % 12 === 0 ? 1 : 0, confirmed: index % 4 !== 0,
      jwtPayload: '{"plan":"pro","roles":["admin","editor"]}',
      sessionInfo: index % 3 === 0 ? '{}' : '{"cart":["sku-1","sku-2"],"lastPage":"/checkout"}',
      client: {
        ip: index % 7 === 0 ? `2001:db8::${address.toString(16)}` : `203.0.113.${address}`,
        userAgent: pick(agents, userAgents.firefox),
      },
    })
  })
}

/** A session for each hostile text: it is the user id, the user agent, and in payload and data. */
export function hostileSessions(now: number): SessionRecord[] {
  return hostileTexts.map((text, index) => sampleRecord({
    handle: createHandle('cookie', length => new Uint8Array(length).fill(index + 1)),
    userId: text, createdAt: now - index - 1, authenticatedAt: now - index - 1, rotatedAt: now - index - 1,
    servedAt: now - index - 1,
    jwtPayload: JSON.stringify({ [text]: text }), sessionInfo: JSON.stringify({ text: [text] }),
    client: { ip: text.slice(0, 64), userAgent: text },
  }))
}

/** Writes sessions into a store, many at once. */
export async function insertAll(store: SessionStore, records: readonly SessionRecord[]): Promise<void> {
  const left = [...records]
  await Promise.all(Array.from({ length: 50 }, async () => {
    for (let record = left.pop(); record !== undefined; record = left.pop()) await store.insert(record)
  }))
}

/** Writes a theft into the event log: an older token was used a while after a newer one had become current. */
export async function insertTheft(
  store: SessionStore, { userId, handle, at, apart, generation }: {
    readonly userId: string
    readonly handle: SessionHandle
    readonly at: number
    readonly apart: number
    readonly generation: number
  },
): Promise<void> {
  const by = (ip: string, userAgent: string): object => ({ ip, userAgent })
  await appendEvent({ store, entropy: length => crypto.getRandomValues(new Uint8Array(length)) }, {
    kind: 'theft', at, userId, handle, detail: {
      userId, handle, revoked: true,
      presented: { generation, branch: 0, at, by: by('198.51.100.9', userAgents.chrome) },
      current: { generation: generation + 1, branch: 0, at: at - apart, by: by('203.0.113.7', userAgents.firefox) },
    },
  })
}
