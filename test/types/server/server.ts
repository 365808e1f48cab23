// The server, as a program starts it.
import * as openTelemetry from '@opentelemetry/api'
import { readSettings, settingDescriptions, startServer } from 'keyturn/server'
import type {
  KeyturnServer, LogFields, Logger, LogLevel, OpenTelemetry, OtelContext, OtelSpan, OtelTracer, ServerParts,
  ServerSettings, SettingDescription, SettingSources,
} from 'keyturn/server'
import type { SessionStore } from 'keyturn'
import { pino } from 'pino'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

export async function start(store: SessionStore): Promise<void> {
  typeOf(startServer).is<(options?: Partial<ServerSettings>, parts?: ServerParts) => Promise<KeyturnServer>>()
  const server = startServer({ store: 'sqlite::memory:', port: 0, logLevel: 'silent' })
  typeOf((await server).url).is<string>()
  typeOf((await server).close()).is<Promise<void>>()
  await startServer({}, { openStore: async () => store, logger: console, openTelemetry })
  await startServer({}, { logger: pino() })
  typeOf(readSettings).is<(sources: SettingSources) => ServerSettings>()
  typeOf(settingDescriptions).is<readonly SettingDescription[]>()
  // @ts-expect-error: a port is a number
  await startServer({ port: '3567' })
  // @ts-expect-error: no such setting
  await startServer({ host_name: 'localhost' })
  // @ts-expect-error: a store is opened for each application
  await startServer({}, { openStore: store })
}

export type Levels = Expect<Equal<ServerSettings['logLevel'], LogLevel>>
export type Names = Expect<Equal<SettingDescription['name'], keyof ServerSettings>>
export type Parts = Expect<Equal<RequiredKeys<ServerParts>, never>>
export type Fields = Expect<Equal<
  LogFields, Readonly<Record<string, string | number | boolean | null | undefined>>
>>
export type Loggers = Expect<Equal<
  Logger, Record<'debug' | 'info' | 'warn' | 'error', (fields: LogFields, message: string) => void>
>>

export function spans(api: OpenTelemetry, context: OtelContext, tracer: OtelTracer): void {
  typeOf(api.trace.getSpan(context)).is<OtelSpan | undefined>()
  typeOf(api.context.with(context, () => 1 as number)).is<number>()
  typeOf(tracer.startSpan('GET /me', { kind: 1, attributes: {} }, context)).is<OtelSpan>()
  // @ts-expect-error: an attribute is one value
  tracer.startSpan('GET /me', { kind: 1, attributes: { list: [] } }, context)
}
