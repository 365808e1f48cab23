import type { SessionReading } from 'keyturn/frameworks/sveltekit'
import type { AppClaims } from 'keyturn/testing/contracts'

declare global {
  namespace App {
    interface Locals {
      session: SessionReading<AppClaims>
    }
  }
}
