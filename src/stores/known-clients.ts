/**
 * A client of a database library that users pass by mistake. Libraries differ in what their clients are called and in
 * how they return a connection, so a client that is accepted by its first method would fail at its first use.
 */
interface KnownClient {
  /** As the library's documentation calls it, with an article. */
  readonly name: string
  /** What to do with it, if that is not to pass another client. */
  readonly cure?: string
  /** All of them are members of such a client. */
  readonly members: readonly string[]
  /** None of them is: they belong to a similar client. */
  readonly without?: readonly string[]
}

/** The clients that some store accepts. */
export type AcceptedClient = 'a Pool of pg' | 'a Pool of mysql2/promise' | 'a client of ioredis' | 'a client of redis'

/** The first that fits counts. */
const knownClients: readonly KnownClient[] = [
  { name: 'a client of postgres.js', members: ['unsafe', 'begin', 'reserve'] },
  { name: 'a connection of a Pool of pg', members: ['connect', 'query', 'escapeLiteral', 'release'] },
  { name: 'a Client of pg, which is one connection', members: ['connect', 'query', 'escapeLiteral'] },
  { name: 'a Pool of pg', members: ['connect', 'query', 'totalCount'] },
  {
    name: 'a Pool of mysql2, which takes callbacks', cure: 'pass what its promise() method returns',
    members: ['getConnection', 'promise'],
  },
  { name: 'a Pool of mysql2/promise', members: ['getConnection', 'execute', 'pool'] },
  { name: 'a Pool of mariadb', members: ['getConnection', 'importFile'] },
  { name: 'a Pool of mysql', members: ['getConnection', 'acquireConnection'] },
  { name: 'a Connection of mysql2', members: ['execute', 'beginTransaction'], without: ['getConnection'] },
  { name: 'a client of ioredis', members: ['call', 'duplicate', 'isCluster'] },
  { name: 'a pipeline of ioredis', members: ['call', 'exec'], without: ['duplicate'] },
  { name: 'a sentinel of redis', members: ['sendCommand', 'acquire', 'getSentinelNode'] },
  { name: 'a pool of redis', members: ['sendCommand', 'execute', 'totalClients'] },
  { name: 'a client of redis', members: ['sendCommand', 'subscribe', 'duplicate'] },
  {
    name: 'a legacy client of redis, which takes callbacks', members: ['sendCommand', 'multi'], without: ['duplicate'],
  },
  { name: 'a SQLite database', members: ['exec', 'prepare'] },
]

/** Whether a value may be a client that is accepted by one of these names: it is not known as another. */
export function mayBe(value: unknown, ...accepted: readonly AcceptedClient[]): boolean {
  const known = recognize(value)
  return known === null || accepted.some(name => name === known.name)
}

/** Says what a client is that was passed by mistake, and what to do with it. Returns null if it is not known. */
export function describeClient(value: unknown): string | null {
  const known = recognize(value)
  if (known === null) return null
  return known.cure === undefined ? known.name : `${known.name}: ${known.cure}`
}

function recognize(value: unknown): KnownClient | null {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null
  return knownClients.find(({ members, without = [] }) => (
    members.every(name => name in value) && without.every(name => !(name in value))
  )) ?? null
}
