import { signal } from '@preact/signals'
import { parseRoute } from './address.ts'
import type { Route } from './address.ts'

/** Where the console is. */
export const route = signal<Route>(parseRoute(location.hash))

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash)
})

/** Goes to a page. */
export function go(href: string): void {
  location.hash = href.slice(1)
}
