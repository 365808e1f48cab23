import type { AdapterCalls, AdapterTarget, RequireSessionOptions } from 'keyturn/adapters'
import type { Claims, Info } from '../application.ts'

/** The calls that have one form in all adapters. */
export type CallName = 'createNewSession' | 'getSession' | 'refreshSession' | 'readSession' | 'sessionOf'

/** They take what names a request and its response in a framework. */
export type Calls<Target extends AdapterTarget> = Pick<AdapterCalls<Target, unknown, Claims, Info>, CallName>

/** `requireSession`, with a handler and as what runs before one. */
export interface Guard<Handler, Guarded, Middleware> {
  (handler: Handler, options?: RequireSessionOptions<Claims>): Guarded
  (options?: RequireSessionOptions<Claims>): Middleware
}
