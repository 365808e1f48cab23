// Serves the application of the framework contract in every variant, on the runtime that runs this file. The first
// argument names the adapter. It prints the port of each variant on standard output.
import type { AppVariant } from '../../../src/testing/framework-contract.ts'
import { startNodeApp } from '../../frameworks/apps/node.ts'
import { createWebApp } from '../../frameworks/apps/web.ts'
import { serveWeb } from '../../support/serve-web.ts'

type Handle = (request: Request) => Promise<Response>

/** The functions of Bun and Deno that neither the web nor Node has. */
interface NativeServers {
  readonly console: unknown
  readonly Bun?: {
    serve(options: { hostname: string; port: number; fetch: Handle }): { readonly port: number }
  }
  readonly Deno?: {
    serve(options: { hostname: string; port: number; onListen: () => void }, handle: Handle): {
      readonly addr: { readonly port: number }
    }
  }
}

const native: NativeServers = globalThis
const variants: readonly AppVariant[] = ['plain', 'token', 'mounted', 'proxied', 'pages', 'no-cors']

async function serve(handle: Handle): Promise<number> {
  const where = { hostname: '127.0.0.1', port: 0 }
  if (native.Bun !== undefined) return native.Bun.serve({ ...where, fetch: handle }).port
  if (native.Deno !== undefined) return native.Deno.serve({ ...where, onListen() {} }, handle).addr.port
  return (await serveWeb(handle)).port
}

for (const variant of variants) {
  const port = process.argv[2] === 'node' ? (await startNodeApp(variant)).port : await serve(createWebApp(variant))
  console.log(JSON.stringify({ socket: variant, port }))
}
process.stdin.on('end', () => process.exit()).resume()
