import { createServer } from 'node:http'
import { once } from 'node:events'

/** A span in the JSON format of OTLP, as far as tests read it. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: Readonly<Record<string, string | number>>
}

/** An OpenTelemetry collector. */
export interface OtlpReceiver {
  readonly url: string
  /** All request bodies, unparsed. */
  readonly bodies: readonly string[]
  /** A header of each request. */
  readonly headers: readonly (string | undefined)[]
  /** All spans so far. */
  spans(): readonly OtlpSpan[]
  /** The resource attributes of the sender. */
  resource(): Readonly<Record<string, string | number>>
  close(): Promise<void>
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number }
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<OtlpSpan, 'attributes'> & { readonly attributes: readonly Attribute[] })[]
    }[]
  }[]
}

/** Starts a collector on loopback that accepts OTLP over HTTP, in JSON. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const bodies: string[] = []
  const headers: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    if (request.url === '/v1/traces') {
      bodies.push(body)
      headers.push(request.headers['x-tenant']?.toString())
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port ?? 0 : 0
  const sent = (): Sent['resourceSpans'] => bodies.flatMap(body => (JSON.parse(body) as Sent).resourceSpans)
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    headers,
    spans: () => sent().flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans)
      .map(span => ({ ...span, attributes: toRecord(span.attributes) })),
    resource: () => toRecord(sent()[0]?.resource.attributes ?? []),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function toRecord(attributes: readonly Attribute[]): Readonly<Record<string, string | number>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']))
}
