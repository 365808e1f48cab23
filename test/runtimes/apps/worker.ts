import type { AppVariant } from '../../../src/testing/framework-contract.ts'
import { createWebApp } from '../../frameworks/apps/web.ts'

let app: ((request: Request) => Promise<Response>) | null = null

/** The application of the framework contract as a Cloudflare Worker. */
const worker: { fetch(request: Request, environment: { readonly VARIANT: AppVariant }): Promise<Response> } = {
  fetch(request, { VARIANT }) {
    app ??= createWebApp(VARIANT)
    return app(request)
  },
}

export default worker
