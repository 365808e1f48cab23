import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'pg'
import type { PoolClient, QueryArrayResult } from 'pg'

/** A stand-in for the HTTP endpoint of Neon, over a PostgreSQL server. */
export interface NeonServer {
  /** Where it takes queries. */
  readonly endpoint: string
  close(): Promise<void>
}

/** A query as the driver of Neon sends it. */
interface Query {
  readonly query: string
  readonly params: unknown[]
}

/**
 * Starts the stand-in. Each request has a connection that others had before: nothing is kept from one query to the
 * next. Rows are arrays of texts.
 */
export async function startNeonServer(url: string): Promise<NeonServer> {
  // Texts, as PostgreSQL writes them: the driver converts them.
  const pool = new Pool({ connectionString: url, max: 8, types: { getTypeParser: () => (text: string) => text } })
  const run = async (client: PoolClient, { query, params }: Query): Promise<object> => {
    const { command, rowCount, rows, fields }: QueryArrayResult =
      await client.query({ text: query, values: params, rowMode: 'array' })
    return { command, rowCount, rows, fields, rowAsArray: true }
  }
  async function answer(body: Query | { readonly queries: readonly Query[] }): Promise<object> {
    const client = await pool.connect()
    try {
      if (!('queries' in body)) return await run(client, body)
      await client.query('BEGIN')
      const results: object[] = []
      for (const query of body.queries) results.push(await run(client, query))
      await client.query('COMMIT')
      return { results }
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part)).on('end', () => {
      const send = (status: number, content: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
      }
      answer(JSON.parse(Buffer.concat(parts).toString())).then(
        content => send(200, content),
        (error: Error & { code?: string }) =>
          send(400, { message: error.message, code: error.code, severity: 'ERROR' }),
      )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port }: Pick<AddressInfo, 'port'> = Object(server.address())
  return {
    endpoint: `http://127.0.0.1:${port}/sql`,
    async close() {
      server.closeAllConnections()
      server.close()
      await pool.end()
    },
  }
}
