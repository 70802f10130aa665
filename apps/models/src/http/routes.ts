import type { App, AppContext } from '@headrace/server'

// The parts of Fastify that an app meets, named by way of the server's own types.

export type Routes = Parameters<NonNullable<App['routes']>>[0]
export type Request = Parameters<AppContext['visibleJob']>[0]
export type Reply = Parameters<Routes['errorHandler']>[2]
