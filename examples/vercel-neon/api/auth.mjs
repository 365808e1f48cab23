import { auth } from '../lib/sessions.mjs'

export const GET = auth
export const POST = auth
