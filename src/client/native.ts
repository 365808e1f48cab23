import { parseAddress } from './address.ts'
import type { Client, ClientOptions } from './client.ts'
import { createClientIn } from './create-client.ts'
import { currentEnvironment } from './environment.ts'
import type { ClientStorage } from './environment.ts'
import { base64 } from './front-token.ts'
import { decode, parsePlain } from './old-platform.ts'
import type { PayloadOf } from './session.ts'

/** Options of `createNativeClient`: a server's address and a storage are always needed. */
export interface NativeClientOptions extends Omit<ClientOptions, 'mode'> {
  /** The URL of the server, as in the server's `origin`. */
  readonly baseUrl: string
  /** Where the client keeps the tokens: a keychain, or `AsyncStorage`. */
  readonly storage: ClientStorage
  /**
   * Calls the listener when the application comes to the foreground or the network is back, and returns a function that
   * stops it, such as `listener => AppState.addEventListener('change', listener).remove`. Default: never.
   */
  readonly onWake?: (listener: () => void) => () => void
}

/**
 * Creates a client for React Native, Expo and other shells without a browser's globals. It sends tokens in headers. It
 * needs `fetch`, `Headers`, `AbortController` and timers, and says so if one is missing; everything else may be missing
 * or incomplete: `URL`, `TextDecoder`, `atob`, `performance`, `localStorage`, Web Locks, `BroadcastChannel`.
 * @throws Error if the platform lacks something, or an option is missing
 */
export function createNativeClient<Sessions = unknown>(
  { onWake, ...options }: NativeClientOptions,
): Client<PayloadOf<Sessions>> {
  const platform: object = globalThis
  for (const name of ['fetch', 'Headers', 'AbortController', 'setTimeout']) {
    const isGiven = name === 'fetch' && options.fetch !== undefined
    if (!isGiven && typeof Reflect.get(platform, name) !== 'function') {
      throw new Error(`keyturn needs ${name}, which this platform lacks: add a polyfill`)
    }
  }
  if (typeof options.storage?.getItem !== 'function' || typeof options.storage.setItem !== 'function') {
    throw new Error('storage must have getItem and setItem: without it, the user is signed out at each start')
  }
  if (typeof atob !== 'function' || typeof TextDecoder !== 'function') base64.decode = decode
  return createClientIn<PayloadOf<Sessions>>({
    ...currentEnvironment(options.fetch),
    parseAddress: canParse() ? parseAddress : parsePlain,
    pageUrl: undefined,
    now: () => {
      const wall = Date.now()
      return { wall, steady: typeof performance === 'object' ? performance.now() : wall }
    },
    isVisible: () => true,
    onWake(listener, closing) {
      const stop = onWake?.(listener)
      if (stop) closing.addEventListener('abort', stop)
    },
  }, { ...options, mode: 'header' })
}

/** Whether the platform's `URL` can parse. Older ones of React Native throw for most members. */
function canParse(): boolean {
  try {
    return new URL('http://a/b').host === 'a'
  } catch {
    return false
  }
}
