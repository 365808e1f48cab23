import type { SessionReading } from 'keyturn/frameworks/sveltekit'
import type { Claims } from './lib/server/sessions.ts'

declare global {
  namespace App {
    interface Locals {
      session: SessionReading<Claims>
    }
  }
}
