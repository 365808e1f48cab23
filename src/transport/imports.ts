import type { ConnectedImports, ImportConnector, SessionImporter } from '../session/importer.ts'
import type { HttpExchange } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import type { SentPair } from './send-pair.ts'

// The flows of an import over HTTP are passed in, so that an application without one does not load them.

/** What `importSessions` of `keyturn/import` returns, for the option `imports`. */
export interface SessionImports extends ImportConnector {
  /** What `createSessions` runs for requests over HTTP. */
  readonly http: ImportFlows
}

/** The flows of an import over HTTP. */
export interface ImportFlows {
  /**
   * Takes over the session of another system, for a request that has no token of Keyturn: the new tokens are in the
   * response. Null if there is no such session, or another site may have caused the request. Parallel requests get the
   * same session.
   * @throws CrossSiteRequestError if the request changes something and does not come from a trusted page.
   * @throws TryRefreshTokenError if the session can be taken over at the refresh endpoint.
   */
  takeOver<Payload extends object, Info extends object>(
    context: HttpContext<Payload, Info>,
    connected: ConnectedImports<Payload>,
    exchange: HttpExchange,
    at: SessionImporter['at'],
  ): Promise<SentPair<Payload, Info> | null>
  /** Ends the session of a request's old credential, and clears its cookies. */
  end<Payload extends object, Info extends object>(
    context: HttpContext<Payload, Info>,
    connected: ConnectedImports<Payload>,
    exchange: HttpExchange,
    after: 'sign-out' | 'login',
  ): Promise<void>
}

/** The importers of an application, and the flows that use them. */
export interface HttpImports<Payload extends object> {
  readonly connected: ConnectedImports<Payload>
  readonly flows: ImportFlows
}

/** Takes over the session of another system, as {@link ImportFlows.takeOver}; null if there are no importers. */
export async function takeOver<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  at: SessionImporter['at'],
): Promise<SentPair<Payload, Info> | null> {
  const { imports } = context
  return imports && imports.flows.takeOver(context, imports.connected, exchange, at)
}

/** As {@link ImportFlows.end}; nothing if there are no importers. */
export async function endImported<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  after: 'sign-out' | 'login',
): Promise<void> {
  await context.imports?.flows.end(context, context.imports.connected, exchange, after)
}
