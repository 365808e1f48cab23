import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SqlValue } from '../../src/stores/sql/row.ts'
import { openLibsql } from './edge-packages.ts'
import type { LibsqlDatabase } from './edge-packages.ts'

/** A stand-in for a database of Turso, or for the server `sqld`: one database in the memory of this process. */
export interface LibsqlServer {
  /** What `createClient` of `@libsql/client` takes. */
  readonly url: string
  /** How many requests have arrived. */
  readonly received: number
  /** From now on, requests get no answer until `answer` is called. */
  hold(): void
  /** Answers what was held, and from now on. */
  answer(): void
  close(): Promise<void>
}

/** A statement of Hrana, the protocol. */
interface Stmt {
  readonly sql?: string | null
  readonly sql_id?: number | null
  readonly args?: readonly Value[]
}

/** A value of Hrana. Clients send every number of JavaScript as a float. */
type Value = { readonly type: 'null' } | { readonly type: 'integer' | 'text'; readonly value: string }
  | { readonly type: 'float'; readonly value: number }

/** When a step of a batch runs. */
type Condition = { readonly type: 'ok' | 'error'; readonly step: number }
  | { readonly type: 'not'; readonly cond: Condition }
  | { readonly type: 'and' | 'or'; readonly conds: readonly Condition[] }

interface Step {
  readonly condition?: Condition | null
  readonly stmt: Stmt
}

type StreamRequest = { readonly type: 'close' } | { readonly type: 'execute'; readonly stmt: Stmt }
  | { readonly type: 'batch'; readonly batch: { readonly steps: readonly Step[] } }
  | { readonly type: 'store_sql'; readonly sql_id: number; readonly sql: string }
  | { readonly type: 'close_sql'; readonly sql_id: number }

interface Failure {
  readonly message: string
  readonly code: string
}

/**
 * Starts the stand-in. It speaks version 2 of Hrana over HTTP, as `@libsql/client` does. A request is a whole stream,
 * which is what the calls of a store are: it runs to its end before another begins.
 */
export async function startLibsqlServer(): Promise<LibsqlServer> {
  const database = openLibsql(':memory:')
  let received = 0
  let held: (() => void)[] | null = null
  const server = createServer((request, response) => {
    received += 1
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part)).on('end', () => {
      const answer = (): void => {
        const { requests }: { requests: readonly StreamRequest[] } = JSON.parse(Buffer.concat(parts).toString())
        const results = answerStream(database, requests)
        response.writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ baton: null, base_url: null, results }))
      }
      if (held === null) answer()
      else held.push(answer)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    get received() {
      return received
    },
    hold() {
      held ??= []
    },
    answer() {
      const waiting = held ?? []
      held = null
      for (const answer of waiting) answer()
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      database.close()
    },
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen')
  return address.port
}

function answerStream(database: LibsqlDatabase, requests: readonly StreamRequest[]): readonly object[] {
  const texts = new Map<number, string>()
  const run = ({ sql, sql_id: id, args = [] }: Stmt): object => (
    execute(database, sql ?? texts.get(id ?? -1) ?? '', args.map(valueOf))
  )
  const answerOne = (request: StreamRequest): object => {
    switch (request.type) {
      case 'close': return {}
      case 'execute': return { result: run(request.stmt) }
      case 'batch': return { result: runBatch(request.batch.steps, run) }
      case 'store_sql': {
        texts.set(request.sql_id, request.sql)
        return {}
      }
      case 'close_sql': {
        texts.delete(request.sql_id)
        return {}
      }
    }
  }
  return requests.map(request => {
    try {
      return { type: 'ok', response: { type: request.type, ...answerOne(request) } }
    } catch (error) {
      return { type: 'error', error: failureOf(error) }
    }
  })
}

function runBatch(steps: readonly Step[], run: (statement: Stmt) => object): object {
  const results: (object | null)[] = []
  const errors: (Failure | null)[] = []
  const holds = (condition: Condition): boolean => {
    switch (condition.type) {
      case 'ok': return (results[condition.step] ?? null) !== null
      case 'error': return (errors[condition.step] ?? null) !== null
      case 'not': return !holds(condition.cond)
      case 'and': return condition.conds.every(holds)
      case 'or': return condition.conds.some(holds)
    }
  }
  for (const { condition, stmt } of steps) {
    let result: object | null = null
    let failure: Failure | null = null
    try {
      if (condition === undefined || condition === null || holds(condition)) result = run(stmt)
    } catch (error) {
      failure = failureOf(error)
    }
    results.push(result)
    errors.push(failure)
  }
  return { step_results: results, step_errors: errors }
}

function execute(database: LibsqlDatabase, sql: string, values: readonly (SqlValue | bigint)[]): object {
  const statement = database.prepare(sql)
  const names = columnsOf(statement)
  if (names === null) {
    const { changes } = statement.run(...values)
    return { cols: [], rows: [], affected_row_count: changes, last_insert_rowid: null }
  }
  statement.safeIntegers(true)
  const rows = statement.all(...values).map(row => row.map(toValue))
  return { cols: names.map(name => ({ name, decltype: null })), rows, affected_row_count: 0, last_insert_rowid: null }
}

/** The names of the columns; null if the statement returns no rows: the driver then refuses to make them arrays. */
function columnsOf(statement: ReturnType<LibsqlDatabase['prepare']>): readonly string[] | null {
  try {
    statement.raw(true)
  } catch {
    return null
  }
  return statement.columns().map(({ name }) => name)
}

function valueOf(value: Value): SqlValue | bigint {
  switch (value.type) {
    case 'null': return null
    case 'integer': return BigInt(value.value)
    default: return value.value
  }
}

function toValue(value: SqlValue | bigint): Value {
  if (value === null) return { type: 'null' }
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) }
  return typeof value === 'number' ? { type: 'float', value } : { type: 'text', value }
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'SQLITE_UNKNOWN'
  return { message: `SQLite error: ${message}`, code }
}
