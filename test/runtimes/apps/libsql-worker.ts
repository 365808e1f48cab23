import { createClient } from '@libsql/client/web'
import { env } from 'cloudflare:workers'
import { createLibsqlStore } from '../../../src/stores/libsql.ts'
import { sampleHandle } from '../../../src/testing/samples.ts'

// The store of docs/serverless.md, created as the module loads.

const client = createClient({ url: env.TURSO_URL, concurrency: Infinity })
const store = createLibsqlStore(client, { migrate: 'auto', requestTimeout: 5 })

const worker: { fetch(): Promise<Response> } = {
  async fetch() {
    return Response.json(await store.find(sampleHandle(1)))
  },
}

export default worker
