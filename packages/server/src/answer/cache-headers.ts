import type { AnyTask, CacheMode, Job } from '@headrace/engine'

/** What `Cache-Control` of a request asks for: `no-cache` makes the result anew, `no-store` also keeps it from others. */
export function cacheModeOf(cacheControl: string | undefined): CacheMode | undefined {
  const directives = (cacheControl ?? '').split(',').map((directive) => directive.trim().toLowerCase())
  if (directives.includes('no-store')) return 'off'
  return directives.includes('no-cache') || directives.includes('max-age=0') ? 'refresh' : undefined
}

/** `Cache-Status` (RFC 9211) of a job whose process has a cache: `collapsed` says that it waits for another job's result. */
export function cacheStatusOf({ cache: options }: AnyTask, { cache }: Job): Record<string, string> {
  if (options === undefined) return {}
  const how = cache === undefined ? 'fwd=bypass' : cache.hit ? 'hit' : 'fwd=miss'
  const isCollapsed = cache?.hit === false && cache.following !== undefined
  return { 'cache-status': `headrace; ${how}${isCollapsed ? '; collapsed' : ''}` }
}
