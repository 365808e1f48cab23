import { signal } from '@preact/signals'
import type { ApiError, ConsoleErrorCode, Conflict, SignedInOperator } from '../../../src/console/api-types.ts'
import { learnTime } from './clock.ts'

/** A request that was not answered with 2xx, or not at all (`offline`). */
export class ApiFailure extends Error {
  readonly code: ConsoleErrorCode | 'offline'
  readonly field: string | null
  /** What the server has instead, if the request was refused for a conflict. */
  readonly current: Conflict['current'] | null

  constructor(
    code: ConsoleErrorCode | 'offline', message: string, more: Partial<Pick<Conflict, 'field' | 'current'>> = {},
  ) {
    super(message)
    this.code = code
    this.field = more.field ?? null
    this.current = more.current ?? null
  }
}

/** Who is logged in; null: nobody; undefined: not asked yet. */
export const me = signal<SignedInOperator | null | undefined>(undefined)
/** Whether the operator was logged in before. */
export const hasEnded = signal(false)
/** Whether server and store can be reached. */
export const connection = signal<'ok' | 'offline' | 'store-away'>('ok')
/** Counts how often the connection came back: what was read before is read again. */
export const recoveries = signal(0)

/** Whether the operator may change something. */
export function mayChange(): boolean {
  return me.value?.role === 'manage'
}

/** The address of a part of the API, whatever path the console is mounted at. */
export function apiUrl(path: string): string {
  return new URL(`api/${path}`, location.href.split('#')[0]).href
}

/** Parameters for the path of a request: those that are not null. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | null | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value != null)
  const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return parameters === '' ? path : `${path}?${parameters}`
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Reads from the API. */
export async function read<Answer>(path: string, abort?: AbortSignal): Promise<Answer> {
  return (await send('GET', path, undefined, abort)).json()
}

/** Changes something. */
export async function change(method: Exclude<Method, 'GET'>, path: string, body?: object): Promise<void> {
  await sendChange(method, path, body)
}

/** Sends something whose answer is wanted. */
export async function ask<Answer>(path: string, body: object): Promise<Answer> {
  return (await sendChange('POST', path, body)).json()
}

async function sendChange(method: Exclude<Method, 'GET'>, path: string, body?: object): Promise<Response> {
  try {
    return await send(method, path, body)
  } catch (error) {
    // Somebody logged in again in another tab: the token is another one.
    if (!(error instanceof ApiFailure) || error.code !== 'invalid_change_token') throw error
    await readMe()
    return send(method, path, body)
  }
}

/** Reads who is logged in. */
export async function readMe(): Promise<void> {
  try {
    const found = await read<SignedInOperator>('me')
    learnTime(found.now)
    me.value = found
    hasEnded.value = false
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== 'unauthenticated') throw error
    me.value = null
  }
}

/** Sends a request, with the token that proves that this page does, and resolves to a response of 2xx. */
async function send(method: Method, path: string, body?: object, abort?: AbortSignal): Promise<Response> {
  const token = me.value?.changeToken
  const response = await reach(apiUrl(path), {
    method,
    cache: 'no-store',
    headers: {
      accept: 'application/json',
      ...body === undefined ? {} : { 'content-type': 'application/json' },
      ...method === 'GET' || token === undefined ? {} : { 'x-console-token': token },
    },
    ...body === undefined ? {} : { body: JSON.stringify(body) },
    ...abort === undefined ? {} : { signal: abort },
  })
  if (response.ok) return response
  throw note(await failureOf(response))
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init)
    if (connection.value === 'offline') restore()
    return response
  } catch (error) {
    if (init.signal?.aborted) throw error
    connection.value = 'offline'
    throw new ApiFailure('offline', 'The server of the console does not answer.')
  }
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const body: Partial<ApiError & Pick<Conflict, 'current'>> = await response.json().catch(() => ({}))
  const { code = response.status >= 500 ? 'server_error' : 'invalid_request', message, ...more } = body
  return new ApiFailure(code, message ?? `The server answered ${response.status}.`, more)
}

function note(failure: ApiFailure): ApiFailure {
  if (failure.code === 'unauthenticated' && me.value != null) {
    hasEnded.value = true
    me.value = null
  }
  // The role was taken away meanwhile: what is offered changes.
  if (failure.code === 'read_only') void readMe().catch(() => undefined)
  if (failure.code === 'unavailable') connection.value = 'store-away'
  return failure
}

/** The store has answered, or has not. */
export function noteStore(isReachable: boolean): void {
  if (!isReachable) connection.value = 'store-away'
  else if (connection.value === 'store-away') restore()
}

function restore(): void {
  connection.value = 'ok'
  recoveries.value++
}
