import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'

/** The part of a response that the client reads. */
export interface ServerReply extends Pick<Response, 'status' | 'url' | 'headers'> {
  /** Reads the member `message` of a JSON body; undefined for any other body. */
  message(): Promise<unknown>
}

/** The member `message` of a JSON body; undefined for any other body. */
export function messageOf(response: Pick<Response, 'json'>): Promise<unknown> {
  return response.json().then((body: { message?: unknown } | null) => body?.message, () => undefined)
}

/** The headers that a request to the session's server carries. Pure. */
export function sessionHeaders(
  mode: TransferMode,
  antiCsrf: string | undefined,
  bearer: string | undefined,
): [name: string, value: string][] {
  const headers: [string, string][] = [[wire.authMode, mode]]
  if (antiCsrf) headers.push([wire.antiCsrf, antiCsrf])
  if (bearer) headers.push([wire.authorization, `Bearer ${bearer}`])
  return headers
}
