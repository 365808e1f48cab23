import type { JSX } from 'preact'
import { hrefOf } from '../base/address.ts'
import { Page } from '../parts/page.tsx'

export function NowherePage(): JSX.Element {
  return <Page title="No such page" answer="The console has no page at this address.">
    <p><a class="button" href={hrefOf([])}>Go to the overview</a></p>
  </Page>
}
