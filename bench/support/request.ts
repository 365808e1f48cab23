import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** A request and its response, as Node passes them to a handler. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const socket = new Socket()

/** Creates Node's own objects. Header values are new strings each time, as they are when Node parses a request. */
export function createExchange(headers: Readonly<Record<string, string>>): Exchange {
  const request = new IncomingMessage(socket)
  request.method = 'GET'
  request.url = '/'
  const fresh: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) fresh[name] = Buffer.from(value, 'latin1').toString('latin1')
  request.headers = fresh
  return { request, response: new ServerResponse(request) }
}

/** A cookie header as browsers send it: it contains other cookies besides the session's. */
export function cookieHeader(pair: string): string {
  return `theme=dark; ${pair}; _ga=GA1.1.1183456789.1716200000`
}

/** The `name=value` pairs of the `Set-Cookie` lines of a response. */
export function cookiesOf(response: ServerResponse): readonly string[] {
  const lines = [response.getHeader('set-cookie') ?? []].flat().map(String)
  return lines.map(line => line.slice(0, line.indexOf(';')))
}
