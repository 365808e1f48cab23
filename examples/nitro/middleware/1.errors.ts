import { sessions } from '../sessions.ts'

// Keyturn's errors as answers: 401, 403, 503
export default sessions.errorHandler()
