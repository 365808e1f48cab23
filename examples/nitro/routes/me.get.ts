import { sessions } from '../sessions.ts'

export default sessions.requireSession((_, session) => ({ userId: session.getUserId() }))
