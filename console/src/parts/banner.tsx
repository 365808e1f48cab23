import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { HealthReport } from '../../../src/console/api-types.ts'
import { announce } from '../base/announce.ts'
import { connection, noteStore, read } from '../base/api.ts'
import { Problem } from './states.tsx'

const AGAIN = 3000

const texts = {
  'offline': ['The server of the console does not answer.', 'Check your network.'],
  'store-away': ['The store does not answer.', 'Sessions are kept, and access tokens are still verified.'],
} as const

/** Asks again while server or store are away, and says when they left and are back. */
export function useConnection(): void {
  const state = connection.value
  const before = useRef(state)
  useEffect(() => {
    if (state !== 'ok') announce(texts[state].join(' '))
    else if (before.current !== 'ok') announce('The connection is back. The page was read again.')
    before.current = state
    if (state === 'ok') return
    const timer = setInterval(() => {
      void read<HealthReport>('health').then(({ health }) => noteStore(health.store.isReachable), () => undefined)
    }, AGAIN)
    return () => clearInterval(timer)
  }, [state])
}

/** Says that server or store are away. */
export function ConnectionBanner(): JSX.Element | null {
  const state = connection.value
  if (state === 'ok') return null
  const [title, text] = texts[state]
  return <Problem title={title}>
    {text} What you see was read before; changes fail until then. The console asks again every 3 seconds.
  </Problem>
}
