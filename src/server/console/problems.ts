import { isLoopbackHost } from '../../base/loopback.ts'
import type { ServerSettings } from '../setting-schema.ts'
import { CONSOLE_APP } from '../store-place.ts'

/** The settings on which it depends whether the console may be served. */
export type ConsoleSettings = Pick<
  ServerSettings, 'console' | 'consoleKeys' | 'consoleWithoutTls' | 'apiKeys' | 'apps' | 'host' | 'publicOrigin'
>

/** One message for each reason why the console cannot be served with these settings. Pure. */
export function consoleProblems(settings: ConsoleSettings): readonly string[] {
  const { console, consoleKeys, consoleWithoutTls, apiKeys, apps, host, publicOrigin } = settings
  if (!console) {
    return consoleKeys.length > 0 || consoleWithoutTls
      ? ['--console-key and --console-without-tls need --console, which turns the console on'] : []
  }
  const problems: string[] = []
  if (consoleKeys.length === 0 && apiKeys.length === 0) {
    problems.push('--console needs a key to log in with: --console-key NAME:manage:KEY, with the output of: '
      + 'openssl rand -hex 32')
  }
  const names = consoleKeys.map(key => key.split(':')[0])
  if (new Set(names).size < names.length) problems.push('each --console-key must have a name of its own')
  if (apps.includes(CONSOLE_APP)) {
    problems.push(
      `--app ${CONSOLE_APP} must have another id: with --console, the tables of that name keep console sessions`,
    )
  }
  const isReachable = !isLoopbackHost(host)
  const isPublic = publicOrigin !== null && !isLoopbackHost(URL.parse(publicOrigin)?.hostname ?? '')
  if (publicOrigin === null && isReachable) {
    problems.push('--console needs --public-origin with a --host that other machines can reach: the origin at which '
      + 'browsers reach the server, such as https://sessions.example.com')
  }
  if (isPublic && publicOrigin.startsWith('http:') && !consoleWithoutTls) {
    problems.push('--console needs an https --public-origin: over http, others on the network can take over the login '
      + 'of an operator. Put a proxy with TLS before the server, or accept that with --console-without-tls')
  }
  return problems
}
