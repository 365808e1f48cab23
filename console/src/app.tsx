import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { me, readMe } from './base/api.ts'
import { useLoad } from './base/load.ts'
import { route } from './base/route.ts'
import type { Route } from './base/address.ts'
import { NowherePage } from './pages/nowhere.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { LogInPage } from './pages/log-in.tsx'
import { useConnection } from './parts/banner.tsx'
import { Frame } from './parts/frame.tsx'
import { Ready } from './parts/states.tsx'
import { Tip } from './parts/tip.tsx'

/** The console: the login, or the frame with the page that the address names. */
export function App(): JSX.Element {
  const loaded = useLoad('me', () => readMe().then(() => true))
  useConnection()
  const { value: operator } = me
  return <>
    {operator === undefined
      ? <main class="log-in" id="main"><h1 class="visually-hidden">Keyturn console</h1>
        <Ready loaded={loaded} what="The console" lines={4}>{() => null}</Ready></main>
      : operator === null ? <LogInPage /> : <Frame><Content /></Frame>}
    <Tip />
  </>
}

function Content(): JSX.Element {
  const { value } = route
  const address = JSON.stringify(value.path)
  const first = useRef(true)
  useEffect(() => {
    if (first.current) {
      first.current = false
      return
    }
    scrollTo({ top: 0, behavior: 'instant' })
    const heading = document.getElementById('title') ?? document.getElementById('main')
    heading?.focus({ preventScroll: true })
  }, [address, value.query.get('after')])
  // Another object is another page: nothing of the one before may stay.
  return <div key={address} class="page"><PageOf path={value.path} /></div>
}

/** The pages but for the first one, which should be shown with as little script as possible. */
const loadOthers = (): Promise<typeof import('./pages/others.ts')> => import('./pages/others.ts')
const others = signal<Awaited<ReturnType<typeof loadOthers>> | null>(null)

function PageOf({ path: [page, object] }: Pick<Route, 'path'>): JSX.Element {
  const pages = others.value
  const loaded = useLoad('pages', () => loadOthers().then(found => {
    others.value = found
    return true
  }))
  if (page === undefined) return <OverviewPage />
  if (pages === null) return <Ready loaded={loaded} what="The page">{() => null}</Ready>
  switch (page) {
    case 'sessions':
      return object === undefined || object === '' ? <pages.FindPage /> : <pages.SessionPage handle={object} />
    case 'users': return object === undefined ? <pages.FindPage /> : <pages.UserPage userId={object} />
    case 'thefts': return <pages.TheftsPage />
    case 'audit': return <pages.AuditPage />
    case 'keys': return <pages.KeysPage />
    case 'inspector': return <pages.InspectorPage />
    case 'health': return <pages.HealthPage />
    default: return <NowherePage />
  }
}
