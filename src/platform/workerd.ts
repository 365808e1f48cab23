import * as workers from 'cloudflare:workers'
import { isolateHost } from '../base/host.ts'
import type { Platform } from './platform.ts'
import { platform as web } from './web.ts'

/** Cloudflare Workers, and other programs of workerd. */
export const platform: Platform = {
  ...web,
  // Older versions of workerd have no such export. It throws outside of a request.
  host: isolateHost(work => workers.waitUntil?.(work)),
}
